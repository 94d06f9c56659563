import { composeServices } from './compose-services.ts';
import { environmentList, servicesTable, type Sizes } from './services-table.ts';

/** docs/services.md, from the text of docker-compose.yml and the content of deploy/image-sizes.json. */
export function servicesPage(compose: string, { platform, targets }: { platform: string; targets: Sizes }): string {
  const services = composeServices(compose);
  return `<!-- Made by \`node scripts/services-doc.ts\`: change that, docker-compose.yml or deploy/image-sizes.json. -->

# Services

\`docker-compose.yml\` is what is said here of services, and a test keeps both equal. Every service has a life, an image, an environment and a
health check of its own.

\`\`\`sh
cp .env.example .env        # ports and settings; the defaults do
npx anneal secrets          # once: passwords and keys, into ./secrets
docker compose up --build --wait
\`\`\`

or \`npm run setup\`, which is the last two. Then everything is behind one door, http://localhost:8088, and the drift reports also at
http://localhost:8080. The commands of \`anneal\` find it there:

\`\`\`sh
export ANNEAL_URL=http://localhost:8088 ADMIN_PASSWORD_FILE=secrets/admin_password
npx anneal health && npx anneal pipelines
docker compose ps           # the health of what is behind the door
docker compose logs -f worker-training
docker compose down         # keeps the volumes
\`\`\`

Without Docker, \`npx anneal stack\` starts the same services from the same file, and \`npm start\` all processes with embedded servers.

## The services

Services with profiles in brackets start with \`COMPOSE_PROFILES=dev\` or \`full\`: \`dev\` adds the Temporal Web UI, \`full\` also what
watches; traces go there with \`OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318\`. A command begins with the image where that
is not ours. Ports are those on this machine, then those in the container; what has none is reached by other services alone. \`installed size\` is what
the image holds besides Node (${platform}).

${servicesTable(services, targets)}

Environment, names only; what our own mean is in [.env.example](../.env.example). \`…_FILE\` names the file of a secret.

${environmentList(services)}

## Scaling

Workers share a task queue, so more of them is all it takes, and none must be told of the others:

\`\`\`sh
docker compose up --wait --scale worker-training=3
\`\`\`

or on any machine that reaches Postgres, Temporal and S3: \`npx anneal worker training\`, a second one there with \`WORKER_TRAINING_METRICS_PORT=0\`.
Candidates of one run are activities of their own, so they spread over all training workers; one that is killed costs what it had not saved.
Four equal candidates took two workers 34.4 s and one 58.1 s, on two cores
(\`npm run bench -- training-workers\`).

A prediction's log lies with its serving process until Postgres has it, so each of those has a name and a volume: another one is \`serving-2\`'s lines
again, and a name in \`GATEWAY_SERVING_SERVERS\`.

## Scheduling

There is no scheduler of our own: what happens at a time is a Temporal Schedule, kept in Temporal's database, run by whatever worker is there, and shown
in its Web UI. Trainings by \`schedule\` are in [pipelines.md](pipelines.md#schedule), the watch for drift in [drift.md](drift.md).

## Logs

Every process of ours prints JSON lines with \`service\`, and where they belong to one, \`trace_id\` and \`run_id\`; the gateway does so too. Docker keeps
five files of 10 MB for each container. The collector of profile \`full\` reads those of all containers, takes each line apart, gives it the service's
name and the trace's id, and gathers them in the volume \`collected-logs\`, at most ten files of 100 MB; [metrics.md](metrics.md) has more.

## Upgrading

Back up, get the new version, then \`docker compose up --build --wait\`: \`migrate\` changes the tables before anything of the new version starts. What
is under way in Temporal goes on with the new workers. To stop nothing, in this order; the old processes then meet the new tables for a while, so look at
what the new migrations do (\`db/migrations\`) first:

1. \`docker compose run --rm --build migrate\`
2. the workers, before the api that will start what only they know
3. \`serving-1\`, and when it is healthy \`serving-2\`: the gateway asks the other meanwhile
4. \`api\`, then \`gateway\`

each by \`docker compose up --build --wait --no-deps <service>\`.

## Backups

Three kinds of volumes matter:

| volume | holds | how |
| --- | --- | --- |
| \`postgres-data\` | all that Anneal and Temporal know | \`docker compose exec -T postgres pg_dumpall -U anneal > anneal.sql\` |
| \`minio-data\` | datasets, models, reports: objects under their SHA-256 | any copy made after the dump, whose rows name them; objects never change |
| \`serving-…-home\` | predictions that Postgres does not have yet | seconds' worth, unless Postgres is away; see [prediction-log.md](prediction-log.md) |

And \`./secrets\`: without \`jwt_secret_key\` every token ends. The others (Prometheus, Grafana, logs, uploads under way) can be lost.
`;
}
