/** Thrown for a text that is not one scalar expression; the message is a sentence for the author. */
export class ExpressionProblem extends Error {}
