import { createServer } from 'node:http';

// `node tiny-server.ts` stands for a service: it answers 200 with its environment, and /end ends it.
const { HOST, PORT } = process.env;
createServer((request, response) => {
  if (request.url === '/end') process.exit(3);
  response.end(JSON.stringify(process.env));
}).listen(Number(PORT), HOST, () => console.log(JSON.stringify({ level: 'info', service: 'tiny', msg: 'ready' })));
process.on('SIGTERM', () => {
  console.log(JSON.stringify({ level: 'warn', service: 'tiny', time: new Date().toISOString(), msg: `${HOST} goes` }));
  process.exit(0);
});
