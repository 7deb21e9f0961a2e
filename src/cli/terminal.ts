/** Text for people: lines to standard output, with colour where the terminal shows it. */
export interface Terminal {
  line(text?: string): void;
  /** A line that the next one replaces. Where none can be replaced they stay, one every 2 s. */
  passing(text: string): void;
  bold(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** No colour into files and pipes, nor where NO_COLOR is set. */
export function openTerminal(output: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Terminal {
  const coloured = output.isTTY && (environment['NO_COLOR'] ?? '') === '';
  const style =
    (code: number) =>
    (text: string): string =>
      coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  // A reader that went away (`npm start | head`) must not end the server.
  output.on('error', () => undefined);
  return { ...lines(output), bold: style(1), faint: style(2), good: style(32), bad: style(31) };
}

const clearLine = '\r\x1b[2K';
const passingEveryMs = 2_000;

function lines(output: NodeJS.WriteStream): Pick<Terminal, 'line' | 'passing'> {
  let standing = false;
  let passedAtMs = Number.NEGATIVE_INFINITY;
  const line = (text = ''): void => {
    output.write(`${standing ? clearLine : ''}${text}\n`);
    standing = false;
  };
  const passing = (text: string): void => {
    if (output.isTTY) {
      output.write(`${clearLine}${text.slice(0, (output.columns ?? 80) - 1)}`);
      standing = true;
    } else if (performance.now() - passedAtMs >= passingEveryMs) {
      passedAtMs = performance.now();
      line(text);
    }
  };
  return { line, passing };
}

/** `text` filled up with blanks to `width` characters. */
export function padded(text: string, width: number): string {
  return text.padEnd(width);
}
