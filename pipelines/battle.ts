import { createRandom, normal, type Random } from '../ml/random.ts';
import type { RawRow } from '../ml/signature.ts';
import { definePipeline, type PipelineDefinitionInput } from './definition.ts';
import { happens, normalWithin, pick } from './draw.ts';

/** Each type hits the types in its list hard. Some types are better than others, but none beats all. */
const STRONG_AGAINST = {
  storm: ['water', 'ice', 'fire'],
  fire: ['plant', 'ice', 'metal'],
  water: ['fire', 'rock'],
  metal: ['rock', 'ice'],
  rock: ['storm', 'fire'],
  plant: ['water', 'rock'],
  ice: ['plant'],
} as const;
/** Log of how much harder than average a type hits whatever it meets. */
const FORCE = { storm: 0.3, fire: 0.2, water: 0.1, metal: 0, rock: -0.1, plant: -0.2, ice: -0.3 } as const;
type Type = keyof typeof STRONG_AGAINST;
const TYPES = Object.keys(STRONG_AGAINST) as Type[];
const ITEMS = ['shield', 'blade', 'potion'] as const;

const stat = { type: 'numeric', min: 1, max: 255 } as const;
const opponent: PipelineDefinitionInput['features'] = {
  type: { type: 'categorical', allowed: TYPES },
  item: { type: 'categorical', allowed: [...ITEMS], nullable: true },
  level: { type: 'numeric', min: 1, max: 100 },
  hit_points: stat,
  attack: stat,
  defense: stat,
  speed: { ...stat, nullable: true, max_null_share: 0.3 },
};
type Side = 'first' | 'second';
const ofSide = <T>(side: Side, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${side}_${name}`, value]));

/** Who wins a duel? Stats have no unit; types beat each other as in scissors, paper, stone. */
export const battle = definePipeline({
  name: 'battle',
  description: 'Predicts the winner of a duel from both opponents.',
  target: { column: 'winner', positive: 'first' },
  features: { ...ofSide('first', opponent), ...ofSide('second', opponent) },
  derived: {
    level_lead: 'first_level - second_level',
    speed_lead: 'first_speed - second_speed',
    first_blow: 'log(first_level) + log(first_attack) - log(second_defense)',
    second_blow: 'log(second_level) + log(second_attack) - log(first_defense)',
    power_ratio:
      'log(first_level * first_attack * first_hit_points / second_defense) - log(second_level * second_attack * second_hit_points / first_defense)',
  },
  candidates: [
    { algorithm: 'logistic_regression' },
    {
      algorithm: 'gradient_boosting',
      trees: [300],
      learning_rate: [0.1],
      max_leaves: [15, 31],
      early_stopping_rounds: [20],
    },
  ],
  evaluation: {
    gates: [
      { metric: 'roc_auc', at_least: 0.75 },
      { metric: 'accuracy', at_least: 0.65 },
    ],
  },
  decision: { positive: 'FIRST', negative: 'SECOND' },
});

/**
 * Duels. The type advantage depends on both types together, items on the stats they go with, and speed decides who strikes first,
 * which matters most between equals. The slowest opponents' speed often goes unmeasured (missing not at random).
 */
export function* battleRows(rows: number, seed: number): Generator<RawRow> {
  const random = createRandom(seed);
  for (let row = 0; row < rows; row++) yield duel(random);
}

function duel(random: Random): RawRow {
  const meanLevel = 5 + 80 * random();
  const first = fighter(random, meanLevel);
  const second = fighter(random, meanLevel);
  const edge = strength(first, second) - strength(second, first);
  // Between equals the faster one strikes first.
  const initiative = (1.2 * Math.tanh((first.speed - second.speed) / 25)) / (1 + edge * edge);
  const firstWins = happens(random, 3.5 * edge + initiative + 0.3 * normal(random));
  return {
    ...ofSide('first', seen(random, first)),
    ...ofSide('second', seen(random, second)),
    winner: firstWins ? 'first' : 'second',
  };
}

function fighter(random: Random, meanLevel: number) {
  const role = normal(random); // attackers are fast and frail, defenders slow and sturdy
  return {
    type: TYPES[Math.floor(random() * TYPES.length)]!,
    item: pick(random, [[null, 0.4] as const, ...ITEMS.map((item) => [item, 0.2] as const)]),
    level: Math.round(normalWithin(random, meanLevel, 6, 1, 100)),
    hit_points: Math.round(normalWithin(random, 75 - 5 * role, 18, 10, 255)),
    attack: Math.round(normalWithin(random, 80 + 14 * role, 16, 10, 255)),
    defense: Math.round(normalWithin(random, 80 - 14 * role, 16, 10, 255)),
    speed: Math.round(normalWithin(random, 70 + 10 * role, 22, 5, 255)),
  };
}

type Fighter = ReturnType<typeof fighter>;

/** Log of how soon the attacker would bring the other down. */
function strength(attacker: Fighter, defender: Fighter): number {
  const attack = attacker.attack * (attacker.item === 'blade' ? 1.2 : 1);
  const defense = defender.defense * (defender.item === 'shield' ? 1.25 : 1);
  const endurance = defender.hit_points * (defender.item === 'potion' ? 1.15 : 1);
  const advantage = isStrong(attacker.type, defender.type) ? Math.log(1.6) : 0;
  return (
    0.6 * Math.log((attacker.level * attack) / defense) - 0.6 * Math.log(endurance) + FORCE[attacker.type] + advantage
  );
}

const isStrong = (attacker: Type, defender: Type) => (STRONG_AGAINST[attacker] as readonly Type[]).includes(defender);

const seen = (random: Random, fighter: Fighter) => ({
  ...fighter,
  speed: happens(random, -2.2 + 0.04 * (70 - fighter.speed)) ? null : fighter.speed,
});
