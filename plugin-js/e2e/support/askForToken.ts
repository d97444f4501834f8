/** Run as a process of its own, which trusts one more certificate from its start: asks for a token and prints what came */
import { createCredential } from '../../src/graph/credential';

const { settings, tenant } = JSON.parse(process.argv[2] ?? '');
createCredential(settings, tenant)
  .token(10_000)
  .then(
    token => ({ token }),
    (error: Error) => ({ error: error.message }),
  )
  .then(answer => process.stdout.write(JSON.stringify(answer)));
