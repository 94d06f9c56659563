import { findMinio } from '../../../lib/minio-server.ts';
import { asWritten, type Prepare } from '../native-program.ts';

export const prepareMinio: Prepare = async (replica, { report }) =>
  asWritten(await findMinio({ progress: report }), replica);
