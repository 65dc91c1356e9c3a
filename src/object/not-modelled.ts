/** What an object may well hold but swansong does not model: the program that needs it is skipped, with this reason. */
export class NotModelled extends Error {
  override readonly name: string = 'NotModelled';
}

/** What a program needs of the kernel and the target does not have: nobody could load it there. */
export class NotInTarget extends NotModelled {
  override readonly name = 'NotInTarget';
}
