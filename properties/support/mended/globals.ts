/** NULL for an argument of a global function that says it takes none. */
import { btfOf, INT } from '../objects/types.js';
import { type Kind, type Mended, nearOrFar, OUT, STATE_KEPT, VALUE, withMap, written } from './mended.js';

/** 1 int, 2 int *, 3 int (void *ctx), 4 main, 5 int (int *p), 6 the global function, 7 its tag, 8 a pointer to anything. */
const types = (tag: string | undefined): Uint8Array =>
  btfOf([
    INT,
    { kind: 'ptr', type: 1 },
    { kind: 'func_proto', returns: 1, params: [{ name: 'ctx', type: 2 }] },
    { kind: 'func', name: 'main', type: 3, linkage: 'global' },
    { kind: 'func_proto', returns: 1, params: [{ name: 'p', type: 2 }] },
    { kind: 'func', name: 'f', type: 5, linkage: 'global' },
    ...(tag === undefined
      ? []
      : [{ kind: 'decl_tag', name: tag, type: 6, component: 0, attribute: false } as const]),
  ]);

/** `f` reads an int through its argument: at once, or if it is not NULL. */
function global(name: string, argument: string, nonnull: boolean): Mended {
  const check = nonnull ? '' : '\n    if r1 == 0 goto none';
  const text = withMap('tc', `${argument}\n    call f${OUT}`);
  const body = `f:\n    r0 = 0${check}\n    r0 = *(u32 *)(r1 +0)\nnone:\n    exit\n`;
  const made = written(
    `global: ${name}`,
    `${text}${body}`.replace('main:', '.global f\nmain:').replace('array key', 'hash key'),
  );
  const { program } = made;
  return {
    ...made,
    program: {
      ...program,
      btf: types(nonnull ? 'arg:nonnull' : undefined),
      subprogs: program.subprogs.map((one) => ({ ...one, btfId: one.start === 0 ? 4 : 6 })),
    },
  };
}

const nonNullArguments: Kind = {
  message: /^arg#0 is expected to be non-NULL$|^R1 type=scalar expected=/,
  bad: [
    global('0 as an immediate', '\n    r1 = 0', true),
    global('0 in 32 bits', '\n    w1 = 0', true),
    global('0 from the stack', '\n    *(u64 *)(r10 -16) = 0\n    r1 = *(u64 *)(r10 -16)', true),
    global(
      '0 on one way',
      `${nearOrFar('r6', 0, 5)}\n    r1 = r10\n    r1 += -8\n    *(u64 *)(r10 -8) = 0\n    if r6 == 0 goto go\n    r1 = 0\ngo:`,
      true,
    ),
    global(
      'a pointer that may be NULL',
      `${VALUE.replace('if r0 == 0 goto out', 'r7 = r0')}\n    r1 = r7`,
      true,
    ),
    global(
      '0 on one way, another number on the other',
      `${nearOrFar('r6', 0, 100)}${STATE_KEPT}\n    r1 = r6`,
      false,
    ),
  ],
  good: [
    global('a pointer', `${VALUE}\n    r1 = r7`, true),
    global('0 where it may be', '\n    r1 = 0', false),
    global(
      'a pointer that may be NULL, where it may be',
      `${VALUE.replace('if r0 == 0 goto out', 'r7 = r0')}\n    r1 = r7`,
      false,
    ),
  ],
};

export const globals = { nonNullArguments };
