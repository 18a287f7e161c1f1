/** Prints what TEST_LISTENERS says, or fails with TEST_LISTENERS_EXIT. */
if (process.env.TEST_LISTENERS_EXIT !== undefined) {
  process.stderr.write('baton.yaml:3:1 versions: found nothing, expected a version\n')
  process.exitCode = Number(process.env.TEST_LISTENERS_EXIT)
} else {
  process.stdout.write(process.env.TEST_LISTENERS ?? '')
}
