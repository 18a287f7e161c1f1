/** The lines of `etcdctl` in a page for people, carried out on a real etcd: what a guide says is what the tests run. */
import { parseArgs } from 'node:util'
import { type Caller, etcdCall, etcdLogin, etcdPermit } from './etcd-call.ts'

/** In order; resolves to root's calls once authentication is on. @throws for a line that is none of those that guides may use. */
export async function runEtcdctl(caller: Caller, text: string): Promise<Caller> {
  let as = caller
  let rootPassword = ''
  for (const line of text.split('\n').filter((each) => each.startsWith('etcdctl '))) {
    const { positionals, values } = parseArgs({
      args: line.replace(/ #.*/, '').split(/\s+/).slice(1),
      options: { prefix: { type: 'boolean', default: false }, 'new-user-password': { type: 'string', default: '' } },
      allowPositionals: true,
    })
    const [noun, verb, name = '', right = '', key = ''] = positionals
    const command = `${noun} ${verb}`
    const password = values['new-user-password']
    if (command === 'role add') await etcdCall(as, 'auth/role/add', { name })
    else if (command === 'role grant-permission') await etcdPermit(as, name, { right, key, prefix: values.prefix })
    else if (command === 'user add') await etcdCall(as, 'auth/user/add', { name, password })
    else if (command === 'user grant-role') await etcdCall(as, 'auth/user/grant', { user: name, role: right })
    else if (command === 'auth enable') {
      await etcdCall(as, 'auth/enable')
      as = await etcdLogin(as, 'root', rootPassword)
    } else throw new Error(`not known here: ${line}`)
    if (command === 'user add' && name === 'root') rootPassword = password
  }
  return as
}
