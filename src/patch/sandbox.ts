/**
 * Where the code of rule files runs: a context of its own, in which a mistake can do no harm. There is no process, no file and no clock;
 * what would write to standard output, end the program or give another answer the next time is an error; and every call has a limit in
 * time. It keeps mistakes in, not attacks.
 */
import { SourceMap } from 'node:module';
import { isNativeError } from 'node:util/types';
import { type Context, compileFunction, createContext, Script } from 'node:vm';
import { InputError, type Place } from '../isa/errors.js';

/** How long one question to a rule may take, in milliseconds. */
const QUESTION_MS = 1_000;
/** So often a question is asked that ran out of time without running for half of it, because the machine was busy with other work. */
const TURNS = 10;
/** How long running a file may take. */
const FILE_MS = 3_000;

const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
/** The name under which the function to be called stands in the context. */
const CALLED = '__swansong_called';

/** Code of a rule file ran out of time. */
class Late extends InputError {}

/** One context, shared by a rule file and the files that it imports. */
export class Sandbox {
  private readonly context: Context = createContext(
    {},
    { codeGeneration: { strings: false, wasm: false }, microtaskMode: 'afterEvaluate' },
  );
  private readonly call = new Script(`globalThis.${CALLED}()`);
  private readonly maps = new Map<string, SourceMap>();

  constructor() {
    Object.assign(this.context, forbidden());
    new Script(TAMED).runInContext(this.context);
  }

  /**
   * Runs the text of a module, which sees these names. `file`: what errors call it. `map`: the source map from the text that a person wrote.
   * Throws InputError for whatever the module throws.
   */
  runModule(
    file: string,
    text: string,
    map: string | undefined,
    names: Readonly<Record<string, unknown>>,
  ): void {
    if (map !== undefined) this.maps.set(file, new SourceMap(JSON.parse(map)));
    this.limited(FILE_MS, 'the file did not end', () => {
      const run = compileFunction(text, Object.keys(names), {
        filename: file,
        parsingContext: this.context,
      });
      run(...Object.values(names));
    });
  }

  /** What `question` answers. `what` names it in errors: `when()`. Throws InputError for whatever it throws, and when it takes too long. */
  ask<T>(what: string, question: () => T): T {
    for (let turn = 1; ; turn++) {
      const before = process.cpuUsage();
      try {
        return this.limited(QUESTION_MS, `${what} did not end`, question);
      } catch (error) {
        const { user, system } = process.cpuUsage(before);
        const ran = (user + system) / 1000;
        if (!(error instanceof Late) || ran > QUESTION_MS / 2 || turn === TURNS) throw error;
      }
    }
  }

  private limited<T>(timeout: number, late: string, run: () => T): T {
    const before: unknown = this.context[CALLED];
    this.context[CALLED] = run;
    try {
      return this.call.runInContext(this.context, { timeout }) as T;
    } catch (error) {
      if (error instanceof InputError)
        throw error.place.file !== undefined
          ? error
          : new InputError(error.message, this.placeOf(error.stack ?? ''));
      if (codeOf(error) === TIMED_OUT) throw new Late(`${late} within ${timeout / 1000} s`);
      if (!isNativeError(error)) throw new InputError(String(error));
      throw new InputError(error.message, this.placeOf(error.stack ?? ''));
    } finally {
      this.context[CALLED] = before;
    }
  }

  /** Where in the files of the person an error was thrown: the innermost call in one of them. */
  private placeOf(stack: string): Place {
    for (const [, file, line, column] of stack.matchAll(/\(?([^\s()]+):(\d+):(\d+)\)?$/gm)) {
      const map = this.maps.get(file!);
      if (map === undefined) continue;
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
      if (!('originalLine' in entry)) return { file: file! };
      return { file: file!, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
    }
    return {};
  }
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** Names that people know from Node, and that refuse with a reason in place of being unknown. Notes go to standard error. */
function forbidden(): Record<string, unknown> {
  const refuse = (what: string, why: string) => (): never => {
    throw new InputError(`${what}: ${why}`);
  };
  const note = (...words: unknown[]): void => {
    process.stderr.write(`${words.map((word) => String(word)).join(' ')}\n`);
  };
  const output = (name: string) =>
    refuse(`console.${name}`, 'a rule file may not write to standard output; console.error may be used');
  const names = ['log', 'info', 'table', 'dir', 'group', 'groupEnd', 'time', 'timeEnd', 'count', 'assert'];
  const handler: ProxyHandler<object> = {
    get: (_, name) => refuse(`process.${String(name)}`, 'a rule file may not use the process')(),
  };
  return {
    console: {
      ...Object.fromEntries(names.map((name) => [name, output(name)])),
      error: note,
      warn: note,
      debug: note,
      trace: note,
    },
    process: new Proxy({}, handler),
    __refuse: (what: string): never => refuse(what, 'the answer would change from call to call')(),
  };
}

/** Takes chance and time away from the language itself. */
const TAMED = `{
  const refuse = globalThis.__refuse;
  delete globalThis.__refuse;
  Math.random = () => refuse('Math.random');
  const Real = Date;
  const Fixed = function Date(...args) {
    if (args.length === 0) refuse('Date');
    return new.target === undefined ? refuse('Date') : Reflect.construct(Real, args);
  };
  Fixed.prototype = Real.prototype;
  Fixed.UTC = Real.UTC;
  Fixed.parse = Real.parse;
  Fixed.now = () => refuse('Date.now');
  globalThis.Date = Fixed;
}`;
