import { and, asc, eq } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { Database, Queries } from './connect.ts';
import { aliasMoves, modelAliases, models, modelVersions } from './schema/models.ts';

export interface MoveAlias {
  readonly modelName: string;
  readonly alias: string;
  /** The version the alias must point to now; null when it must not exist. */
  readonly from: number | null;
  readonly to: number;
  readonly runId: string | null;
}
export interface ModelAlias {
  readonly alias: string;
  readonly version: number;
  readonly updatedAt: Date;
}

/** The alias half of the model repository. */
export const createAliasRepository = (db: Database) => ({
  /** Throws NOT_FOUND. */
  versionOf: async (name: string, alias: string): Promise<number> => {
    const version = await currentVersion(db, name, alias);
    if (version === null) throw notFound('model alias', `${name}@${alias}`);
    return version;
  },

  /** Aliases of a model by name; none for an unknown model. */
  aliases: (name: string): Promise<ModelAlias[]> =>
    db
      .select({ alias: modelAliases.alias, version: modelAliases.version, updatedAt: modelAliases.updatedAt })
      .from(modelAliases)
      .where(eq(modelAliases.modelName, name))
      .orderBy(asc(modelAliases.alias)),

  /**
   * Compare-and-set, with its row in alias_moves. `moved` is false when this run has made this move before, even if
   * someone moved the alias on since. Throws CONFLICT when the alias is not at `from`, NOT_FOUND without version `to`.
   */
  moveAlias: (move: MoveAlias): Promise<{ moved: boolean }> =>
    db.transaction(async (tx) => {
      const { modelName, alias, from, to, runId } = move;
      // Moves of one model happen one after the other.
      await tx.select().from(models).where(eq(models.name, modelName)).for('update');
      await requireVersion(tx, modelName, to);
      if (await isRepeat(tx, move)) return { moved: false };
      const current = await currentVersion(tx, modelName, alias);
      if (current !== from) {
        throw new PlatformError(
          'CONFLICT',
          `${modelName}@${alias} points to ${current ?? 'nothing'}, not to ${from ?? 'nothing'}`,
        );
      }
      await tx
        .insert(modelAliases)
        .values({ modelName, alias, version: to })
        .onConflictDoUpdate({
          target: [modelAliases.modelName, modelAliases.alias],
          set: { version: to, updatedAt: new Date() },
        });
      await tx.insert(aliasMoves).values({ modelName, alias, fromVersion: from, toVersion: to, runId });
      return { moved: true };
    }),
});

async function currentVersion(db: Queries, name: string, alias: string): Promise<number | null> {
  const [row] = await db
    .select({ version: modelAliases.version })
    .from(modelAliases)
    .where(and(eq(modelAliases.modelName, name), eq(modelAliases.alias, alias)));
  return row?.version ?? null;
}

async function requireVersion(tx: Queries, name: string, version: number): Promise<void> {
  const found = await tx
    .select({ version: modelVersions.version })
    .from(modelVersions)
    .where(and(eq(modelVersions.modelName, name), eq(modelVersions.version, version)));
  if (found.length === 0) throw notFound('model version', `${name}/${version}`);
}

async function isRepeat(tx: Queries, { modelName, alias, to, runId }: MoveAlias): Promise<boolean> {
  if (runId === null) return false;
  const moves = await tx
    .select({ id: aliasMoves.id })
    .from(aliasMoves)
    .where(
      and(
        eq(aliasMoves.modelName, modelName),
        eq(aliasMoves.alias, alias),
        eq(aliasMoves.runId, runId),
        eq(aliasMoves.toVersion, to),
      ),
    );
  return moves.length > 0;
}
