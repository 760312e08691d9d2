// What the Node drivers share: see ../README.md for the jobs, the arguments and the answer.
const readline = require('readline')

// serve has do the job of the command line, or else that of each line of standard input. It resolves to what the answer
// says beside the client and the job: outcome, error and records. late is how many seconds it may take.
exports.serve = async function serve(client, late, perform) {
  const one = async ([job, ...words]) => {
    const a = Object.fromEntries(words.map(w => [w.slice(0, w.indexOf('=')), w.slice(w.indexOf('=') + 1)]))
    a.count = Number(a.count || 10)
    a.timeout = 1000 * Number(a.timeout || late)
    let timer
    const nothing = new Promise(resolve => {
      timer = setTimeout(() => resolve({ outcome: 'failed', error: new Error(`nothing after ${a.timeout} ms`) }), a.timeout)
    })
    const { outcome, error, records = 0 } = await Promise.race([perform(job, a).catch(error => ({ outcome: 'failed', error })), nothing])
    clearTimeout(timer)
    const line = { client, job, outcome, records, error: error ? error.name : '', message: error ? String(error.message).slice(0, 300) : '' }
    await new Promise(resolve => process.stdout.write(JSON.stringify(line) + '\n', resolve))
  }
  // What a client still throws when its job is done is nobody's.
  process.on('unhandledRejection', () => {})
  if (process.argv.length > 2) await one(process.argv.slice(2))
  else for await (const line of readline.createInterface({ input: process.stdin })) await one(line.split('\t'))
  process.exit(0) // some clients keep timers that would not let it end
}
