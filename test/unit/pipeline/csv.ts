export type TextRow = readonly (string | null)[];

/** NULL is an empty field, the empty string a quoted one. */
export function formatCsv(rows: readonly TextRow[]): string {
  return rows.map((row) => `${row.map((value) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)).join(',')}\n`).join('');
}

/** One character at a time, as simply as the format can be read. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  let field = '';
  let quoted = false;
  let inside = false;
  const endField = () => {
    row.push(field === '' && !quoted ? null : field);
    field = '';
    quoted = false;
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"' && inside && text[index + 1] === '"') {
      field += '"';
      index += 1;
    } else if (character === '"') {
      inside = !inside;
      quoted = true;
    } else if (inside) field += character;
    else if (character === ',') endField();
    else if (character === '\n') {
      endField();
      rows.push(row);
      row = [];
    } else field += character;
  }
  return rows;
}
