// For embedded-servers.server.test.ts: starts a server, says so, and stays.
import { startEmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { findTemporal, startTemporalServer } from '../../lib/temporal-server.ts';

const [kind, folder] = process.argv.slice(2);
const server =
  kind === 'postgres'
    ? await startEmbeddedPostgres({ dataDir: folder!, port: 0, durable: false })
    : await startTemporalServer({
        program: await findTemporal(),
        dataFile: `${folder}/temporal.db`,
        port: 0,
        uiPort: 0,
      });
process.send!({ pid: server.pid });
setInterval(() => {}, 60_000);
