/** Which licences count as GPL (license_is_gpl_compatible, include/linux/license.h). */
const COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** Whether a program with this licence may call GPL-only functions and read kernel structs. 'GPL' unless told. */
export function isGplCompatible(license: string | undefined): boolean {
  return COMPATIBLE.has(license ?? 'GPL');
}
