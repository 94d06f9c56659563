import { findMinio } from '../../../lib/minio-server.ts';
import { answersAt, bareEnvironment, urlAsked, type Prepare } from '../native-program.ts';

export const prepareMinio: Prepare = async (replica, { report }) => ({
  command: await findMinio({ progress: report }),
  args: replica.command,
  env: { ...bareEnvironment(), ...replica.environment },
  healthy: answersAt(urlAsked(replica)!),
});
