"""What a Python app does with a Redis at the port that is given; one line a result."""
import sys
import time
import redis

client = redis.Redis(port=int(sys.argv[1]))


def often(read):
    for _ in range(8):
        try:
            print(read())
        except redis.RedisError as error:
            print(type(error).__name__, error)
        time.sleep(0.005)


client.flushall()
for round in range(4):
    print(client.set('k', f'v{round}'))
    often(lambda: client.get('k'))
    often(lambda: client.mget('k', 'none'))
print(client.hset('h', mapping={'f': 'v', 'g': 'w'}))
often(lambda: client.hgetall('h'))
often(lambda: client.hget('h', 'f'))
often(lambda: client.hmget('h', ['f', 'none']))
often(lambda: client.get('h'))
often(lambda: client.exists('k', 'none'))
often(lambda: client.ttl('k'))

pipeline = client.pipeline(transaction=False)
for at in range(1000):
    pipeline.set(f'k{at % 7}', at).get(f'k{at % 7}').get(f'k{(at + 1) % 7}')
print(pipeline.execute())

# all of it is sent before anything is read
client.set('wide', 'x' * 2000)
pipeline = client.pipeline(transaction=False)
for at in range(20000):
    pipeline.get('wide')
    pipeline.echo('y' * 500)
print(sum(len(reply) for reply in pipeline.execute()))

with client.pipeline() as transaction:
    transaction.watch('k')
    print(transaction.get('k'))
    transaction.multi()
    transaction.set('k', 'watched')
    print(transaction.execute())
often(lambda: client.get('k'))
with client.pipeline() as transaction:
    transaction.watch('k')
    client.set('k', 'changed')
    transaction.multi()
    transaction.set('k', 'lost')
    try:
        print(transaction.execute())
    except redis.WatchError as error:
        print('WatchError', error)
often(lambda: client.get('k'))

print(client.register_script("return redis.call('SET', 'k', ARGV[1])")(args=['scripted']))
often(lambda: client.get('k'))

with client.pubsub() as subscriber:
    subscriber.subscribe('channel')
    print(subscriber.get_message(timeout=5))
    print(client.publish('channel', 'hello'))
    print(subscriber.get_message(timeout=5))
with client.lock('lock', timeout=5):
    print(client.exists('lock'))
print(client.exists('lock'))
