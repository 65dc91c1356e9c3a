/**
 * The part of the SARIF 2.1.0 schema (OASIS, sarif-schema-2.1.0) that our logs use, and what the standard says besides: strictly, so that a
 * member of another name is wrong.
 */
import { Ajv } from 'ajv';
import { strict } from './documents.js';

const message = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string', minLength: 1 } },
};
const location = {
  type: 'object',
  properties: {
    physicalLocation: {
      type: 'object',
      required: ['artifactLocation'],
      properties: {
        // uri-reference of RFC 3986: no blank, no backslash, no character that is not ASCII.
        artifactLocation: {
          type: 'object',
          required: ['uri'],
          properties: { uri: { type: 'string', pattern: "^[A-Za-z0-9\\-._~:/?#\\[\\]@!$&'()*+,;=%]+$" } },
        },
        region: {
          type: 'object',
          required: ['startLine'],
          properties: {
            startLine: { type: 'integer', minimum: 1 },
            startColumn: { type: 'integer', minimum: 1 },
          },
        },
      },
    },
  },
};
const LEVELS = ['none', 'note', 'warning', 'error'];

const schema = {
  type: 'object',
  required: ['version', 'runs', '$schema'],
  properties: {
    $schema: { type: 'string' },
    version: { const: '2.1.0' },
    runs: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['tool', 'results'],
        properties: {
          tool: {
            type: 'object',
            required: ['driver'],
            properties: {
              driver: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: { type: 'string', minLength: 1 },
                  version: { type: 'string' },
                  rules: {
                    type: 'array',
                    uniqueItems: true,
                    items: {
                      type: 'object',
                      required: ['id'],
                      properties: { id: { type: 'string', minLength: 1 }, shortDescription: message },
                    },
                  },
                },
              },
            },
          },
          invocations: {
            type: 'array',
            items: {
              type: 'object',
              required: ['executionSuccessful'],
              properties: {
                executionSuccessful: { type: 'boolean' },
                exitCode: { type: 'integer' },
                toolExecutionNotifications: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['message'],
                    properties: {
                      level: { enum: LEVELS },
                      message,
                      locations: { type: 'array', items: location },
                    },
                  },
                },
              },
            },
          },
          results: {
            type: 'array',
            items: {
              type: 'object',
              required: ['message', 'ruleId', 'ruleIndex', 'kind', 'level'],
              properties: {
                ruleId: { type: 'string' },
                ruleIndex: { type: 'integer', minimum: 0 },
                kind: { enum: ['notApplicable', 'pass', 'fail', 'review', 'open', 'informational'] },
                level: { enum: LEVELS },
                message,
                locations: { type: 'array', items: location },
                partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
                baselineState: { enum: ['new', 'unchanged', 'updated', 'absent'] },
              },
            },
          },
        },
      },
    },
  },
};

const validate = new Ajv({ strict: true }).compile(strict(schema) as object);

/** A log, as far as it is read here. */
export interface SarifLog {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules?: readonly { readonly id: string }[] } };
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly exitCode: number;
      readonly toolExecutionNotifications?: readonly { readonly message: { readonly text: string } }[];
    }[];
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly kind: string;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly baselineState?: string;
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly locations?: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region?: { readonly startLine: number; readonly startColumn?: number };
        };
      }[];
    }[];
  }[];
}

/** Reads a log. Throws for what is none. */
export function parseSarif(text: string): SarifLog {
  const log = JSON.parse(text) as SarifLog;
  if (!validate(log)) throw new Error(JSON.stringify(validate.errors));
  for (const { tool, results } of log.runs)
    for (const { ruleId, ruleIndex, kind, level } of results) {
      // 3.52.4: ruleId is the id of the rule at ruleIndex. 3.27.10: only what fails has a level.
      if (tool.driver.rules?.[ruleIndex]?.id !== ruleId)
        throw new Error(`${ruleId} is not rule ${ruleIndex}`);
      if ((kind === 'fail') === (level === 'none')) throw new Error(`${kind} with level ${level}`);
    }
  return log;
}
