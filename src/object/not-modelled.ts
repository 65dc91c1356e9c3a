/** What an object may well hold but swansong does not model: the program that needs it is skipped, with this reason. */
export class NotModelled extends Error {
  override readonly name = 'NotModelled';
}
