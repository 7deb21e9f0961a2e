/** How often a property that runs whole pipelines is tried; TEST_PROPERTY_RUNS asks for more than `usual`. */
export function propertyRuns(usual: number): { readonly numRuns: number } {
  const wanted = Number(process.env['TEST_PROPERTY_RUNS'] ?? usual);
  if (!Number.isInteger(wanted) || wanted < 1) throw new Error('TEST_PROPERTY_RUNS must be a whole number of at least 1.');
  return { numRuns: wanted };
}
