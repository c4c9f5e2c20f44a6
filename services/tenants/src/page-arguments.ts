/** The arguments of every connection field. */
export interface PageArguments {
  first?: number | null;
  after?: string | null;
}
