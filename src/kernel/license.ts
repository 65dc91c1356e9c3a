/** Which licences count as GPL (license_is_gpl_compatible, include/linux/license.h). */
const COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** A program of this licence may call what is for GPL programs only, and look into kernel structs; 'GPL' unless told. */
export function isGplCompatible(license: string | undefined): boolean {
  return COMPATIBLE.has(license ?? 'GPL');
}
