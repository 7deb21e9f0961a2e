import { appendFile, readdir, rm, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFileConnector } from '../../../../src/connectors/file/connector.js';
import { makeFolder, never, query, readRows, type TestFolder } from './files.js';

let folder: TestFolder;
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const columnsOf = async (stream: string, config = {}) => {
  const described = await folder.session(config).describe(stream);
  return Object.fromEntries(described?.columns.map(({ name, type }) => [name, type]) ?? []);
};

const cell = fc.option(
  fc.oneof(fc.string({ maxLength: 5 }), fc.string({ unit: fc.constantFrom('"', '\n', ',', '\r', '\\', 'a', 'é', ';', "'", '\u2028', '😀'), maxLength: 6 })),
);

describe('CSV', () => {
  it('is read as it was written, whatever the values, the dialect, the line ends and the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(
          { delimiter: ',', quote: '"', escape: '"' },
          { delimiter: ';', quote: "'", escape: "'" },
          { delimiter: '\t', quote: '"', escape: '\\' },
        ),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 100 }),
        async (rows, dialect, lineEnd, ended, segmentBytes) => {
          const { delimiter, quote, escape: sign } = dialect;
          const quoted = (text: string) => quote + text.replaceAll(sign, sign + sign).replaceAll(quote === sign ? '\0' : quote, sign + quote) + quote;
          const written = [['a', 'b', 'c'], ...rows].map((row) => row.map((value) => (value === null ? '' : quoted(value))).join(delimiter)).join(lineEnd);
          await folder.write('x.csv', written + (ended ? lineEnd : ''));
          const { rows: found } = await readRows(folder, folder.session({ csv: dialect }), 'x.csv', ['a', 'b', 'c'], segmentBytes);
          expect(found).toEqual(rows);
        },
      ),
      { numRuns: 150 },
    );
    expect(await readdir(folder.work)).toEqual([]);
  });

  it('gives the columns that are asked for, in that order, with positions over all segments and files', async () => {
    await folder.write('in/1.csv', 'id,name\n1,a\n2,b\n');
    await folder.write('in/2.csv', 'NAME,extra,id\nc,x,3\n');
    const session = folder.session();
    expect((await session.describe('in/*.csv'))?.columns.map(({ name }) => name)).toEqual(['id', 'name', 'extra']);
    expect((await readRows(folder, session, 'in/*.csv', ['extra', 'id', 'name'], 1)).rows).toEqual([
      [null, '1', 'a'],
      [null, '2', 'b'],
      ['x', '3', 'c'],
    ]);
  });

  it('tells types by texts that are nothing else, and leaves codes, odd dates and long numbers as text', async () => {
    await folder.write(
      'types.csv',
      'whole,code,number,long,flag,day,odd_day,at,zoned,text,empty\n1,007,1.5,1234567890.1234567,true,2024-02-29,1/2/2024,2024-01-01T10:00:00.5,2024-01-01 10:00:00Z,x,\n-20,008,2,1,FALSE,2023-01-01,2/2/2024,2024-01-01 10:00:00,2024-01-01 10:00:00+02:00,2,\n',
    );
    expect(await columnsOf('types.csv')).toEqual({
      whole: 'BIGINT',
      code: 'VARCHAR',
      number: 'DOUBLE',
      long: 'VARCHAR',
      flag: 'BOOLEAN',
      day: 'DATE',
      odd_day: 'VARCHAR',
      at: 'TIMESTAMP',
      zoned: 'TIMESTAMP WITH TIME ZONE',
      text: 'VARCHAR',
      empty: 'VARCHAR',
    });
    expect(new Set(Object.values(await columnsOf('types.csv', { csv: { types: 'text' } })))).toEqual(new Set(['VARCHAR']));
  });

  it('keeps NULL, the empty text and the text that stands for NULL apart', async () => {
    await folder.write('x.csv', 'a,b\n,""\nNA,"NA"\n');
    expect((await readRows(folder, folder.session(), 'x.csv', ['a', 'b'])).rows).toEqual([
      [null, ''],
      ['NA', 'NA'],
    ]);
    expect((await readRows(folder, folder.session({ csv: { nullText: 'NA' } }), 'x.csv', ['a', 'b'])).rows).toEqual([
      ['', ''],
      [null, 'NA'],
    ]);
  });

  it('takes a byte order mark, no final line end, empty lines, no header, no quotes, tabs and other encodings', async () => {
    await folder.write('bom.csv', '\ufeffid,v\n\n1,a\n\r\n2,b');
    expect((await readRows(folder, folder.session(), 'bom.csv', ['id', 'v'])).rows).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    await folder.write('bare.csv', '1;"a\n');
    const bare = folder.session({ csv: { header: false, delimiter: ';', quote: '' } });
    expect((await readRows(folder, bare, 'bare.csv', ['column1', 'column2'])).rows).toEqual([['1', '"a']]);
    await folder.write('t.tsv', 'id\tv\n1\ta,b\n');
    expect((await readRows(folder, folder.session(), 't.tsv', ['id', 'v'])).rows).toEqual([['1', 'a,b']]);
    await folder.write('latin.csv', Buffer.from('id,v\n1,caf\xe9\n', 'latin1'));
    expect((await readRows(folder, folder.session({ csv: { encoding: 'windows-1252' } }), 'latin.csv', ['v'])).rows).toEqual([['café']]);
    await folder.write('wide.csv', Buffer.from('\ufeffid,v\n1,é😀\n', 'utf16le'));
    expect((await readRows(folder, folder.session({ csv: { encoding: 'utf-16le' } }), 'wide.csv', ['v'])).rows).toEqual([['é😀']]);
  });

  it('reads values of three megabytes, also in small segments', async () => {
    const wide = 'x"\n'.repeat(1 << 20);
    await folder.write('wide.csv', `id,v\n1,"${wide.replaceAll('"', '""')}"\n2,b\n`);
    expect((await readRows(folder, folder.session(), 'wide.csv', ['id', 'v'], 1_000)).rows).toEqual([
      ['1', wide],
      ['2', 'b'],
    ]);
  });

  it('gives no row of a file that is empty or has a header only', async () => {
    await folder.write('empty.csv', '');
    await folder.write('header.csv', 'a,b\n');
    expect((await readRows(folder, folder.session(), '*.csv', ['a', 'b'])).rows).toEqual([]);
    expect(await columnsOf('header.csv')).toEqual({ a: 'VARCHAR', b: 'VARCHAR' });
  });

  it.each([
    ['too few fields', 'a,b\n1,2\n3\n', 'x.csv, line 3: the row has 1 field where 2 are expected.'],
    ['too many fields behind a quoted line end', 'a,b\n"1\n",2\n3,4,5\n', 'x.csv, line 4: the row has 3 fields where 2 are expected.'],
    ['a quote that is not closed', 'a,b\n1,2\n"3,4\n5,6\n', 'x.csv, line 3: a quote is opened there and never closed.'],
    ['a quote inside a field', 'a,b\n1,2"2\n', 'x.csv, line 2: a quote stands in a field'],
    ['text behind a quote', 'a,b\n1,"2"3\n', 'x.csv, line 2: behind a closing quote'],
    ['a carriage return inside a field', 'a,b\n1,2\r3\n', 'x.csv, line 2: a carriage return'],
    ['bytes that are no UTF-8', Buffer.from('a,b\n1,2\n3,\xff\n', 'latin1'), 'x.csv, line 3: its text is not UTF-8'],
    ['a character that is cut off', Buffer.concat([Buffer.from('a,b\n1,2'), Buffer.from([0xc3])]), 'x.csv, line 2: it ends within a character'],
    ['a name twice', 'a,A\n1,2\n', 'x.csv, line 1: its header has "A" twice'],
  ])('refuses %s, naming file and line', async (_, content, message) => {
    await folder.write('x.csv', content);
    await expect(readRows(folder, folder.session(), 'x.csv', ['a', 'b'])).rejects.toMatchObject({
      code: 'SOURCE_MALFORMED',
      message: expect.stringContaining(message),
    });
  });
});

describe('compressed files', () => {
  const text = `id,v\n${Array.from({ length: 50_000 }, (_, index) => `${index},text ${index % 977}\n`).join('')}`;

  it('are read as what is in them, several members as one', async () => {
    await folder.write('x.csv.gz', Buffer.concat([gzipSync(text), gzipSync('50000,last\n')]));
    const { rows } = await readRows(folder, folder.session(), 'x.csv.gz', ['id', 'v'], 100_000);
    expect(rows).toHaveLength(50_001);
    expect(rows.at(-1)).toEqual(['50000', 'last']);
  });

  it('are read from zstd as DuckDB writes it', async () => {
    await query(`COPY (SELECT i AS id, 'text ' || i % 977 AS v FROM range(200000) r(i)) TO '${folder.data}/x.csv.zst' (FORMAT csv, COMPRESSION zstd)`);
    const { rows } = await readRows(folder, folder.session(), 'x.csv.zst', ['id', 'v'], 1 << 20);
    expect(rows).toHaveLength(200_000);
    expect(rows[199_999]).toEqual(['199999', 'text 691']);
  });

  it('are refused when they are cut off or something else', async () => {
    const whole = gzipSync(text);
    await folder.write('cut.csv.gz', whole.subarray(0, whole.length - 1_000));
    await folder.write('plain.csv.gz', text);
    await folder.write('plain.csv.zst', text);
    for (const name of ['cut.csv.gz', 'plain.csv.gz', 'plain.csv.zst'])
      await expect(readRows(folder, folder.session(), name, ['id'])).rejects.toMatchObject({
        code: 'SOURCE_MALFORMED',
        message: expect.stringContaining(name),
      });
  });
});

describe('NDJSON', () => {
  it('has the columns of all its objects; strings, numbers, nested values and missing ones as texts', async () => {
    await folder.write('x.ndjson', '{"id":1,"v":"a\\nb","n":{"x":[1,2]},"a/b~c":true}\n\n{"id":123456789012345,"w":1.5,"v":null}\n{"n":[],"day":"2024-01-02"}');
    expect(await columnsOf('x.ndjson')).toEqual({ id: 'BIGINT', v: 'VARCHAR', n: 'JSON', 'a/b~c': 'BOOLEAN', w: 'DOUBLE', day: 'VARCHAR' });
    expect((await readRows(folder, folder.session(), 'x.ndjson', ['id', 'v', 'n', 'a/b~c', 'w', 'day'])).rows).toEqual([
      ['1', 'a\nb', '{"x":[1,2]}', 'true', null, null],
      ['123456789012345', null, null, null, '1.5', null],
      [null, null, '[]', null, null, '2024-01-02'],
    ]);
  });

  it('is cut at line ends, with positions over all segments', async () => {
    await folder.write('x.jsonl.gz', gzipSync(Array.from({ length: 1_000 }, (_, index) => `{"id":${index}}\n`).join('')));
    const { rows, segments } = await readRows(folder, folder.session(), 'x.jsonl.gz', ['id'], 1_000);
    expect(rows.map(([id]) => Number(id))).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(segments.length).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['no JSON', '{"a":1}\n\n{"a":\n', 3],
    ['no object', '{"a":1}\n[1]\n', 2],
    ['two objects in a line', '{"a":1}{"a":2}\n', 1],
    ['no UTF-8', Buffer.from('{"a":"\xff"}\n', 'latin1'), 1],
  ])('refuses %s, naming the line', async (_, content, line) => {
    await folder.write('x.ndjson', content);
    await expect(readRows(folder, folder.session(), 'x.ndjson', ['a'])).rejects.toMatchObject({
      code: 'SOURCE_MALFORMED',
      message: expect.stringContaining(`x.ndjson, line ${line}:`),
    });
  });
});

describe('Parquet', () => {
  it('has its own types, and nested ones as JSON', async () => {
    await query(
      `COPY (SELECT 1::SMALLINT AS s, 1.50::DECIMAL(10,2) AS d, DATE '2024-02-29' AS day, {'x': [1]} AS n, uuid() AS u, TIMESTAMPTZ '2024-01-01 10:00:00+02' AS t, NULL::VARCHAR AS v) TO '${folder.data}/x.parquet'`,
    );
    expect(await columnsOf('x.parquet')).toEqual({
      s: 'SMALLINT',
      d: 'DECIMAL(10,2)',
      day: 'DATE',
      n: 'JSON',
      u: 'UUID',
      t: 'TIMESTAMP WITH TIME ZONE',
      v: 'VARCHAR',
    });
    expect((await readRows(folder, folder.session(), 'x.parquet', ['n', 's', 'd', 'day', 't', 'v'])).rows).toEqual([
      ['{"x":[1]}', '1', '1.50', '2024-02-29', '2024-01-01 08:00:00+00', null],
    ]);
  });

  it('is read in ranges, in order', async () => {
    await query(`COPY (SELECT i AS id, md5(i::VARCHAR) AS v FROM range(300000) r(i)) TO '${folder.data}/x.parquet' (ROW_GROUP_SIZE 20480)`);
    const { rows, segments } = await readRows(folder, folder.session(), 'x.parquet', ['id'], 1 << 20);
    expect(rows.map(([id]) => Number(id))).toEqual(Array.from({ length: 300_000 }, (_, index) => index));
    expect(segments.length).toBeGreaterThan(1);
  });

  it('is refused when it is none, or files differ in a type', async () => {
    await folder.write('x.parquet', 'PAR1 not really');
    await expect(folder.session().describe('x.parquet')).rejects.toMatchObject({ code: 'SOURCE_MALFORMED', message: expect.stringContaining('x.parquet') });
    await query(`COPY (SELECT 1 AS a) TO '${folder.data}/x.parquet'`);
    await query(`COPY (SELECT 'x' AS a) TO '${folder.data}/y.parquet'`);
    await expect(folder.session().describe('*.parquet')).rejects.toMatchObject({ code: 'SOURCE_MALFORMED', message: expect.stringContaining('y.parquet') });
  });
});

describe('streams', () => {
  it('are files by pattern, hidden ones left out', async () => {
    for (const name of ['a.csv', 'b/c.csv', 'b/d/e.csv', '.h.csv', '_x.csv', 'b/.tributary/y.csv', 'readme.txt']) await folder.write(name, 'v\n1\n');
    const session = folder.session();
    expect((await readRows(folder, session, '*.csv', ['v'])).rows).toHaveLength(1);
    expect((await readRows(folder, session, '**/*.csv', ['v'])).rows).toHaveLength(3);
    expect((await readRows(folder, session, 'b/?.csv', ['v'])).rows).toHaveLength(1);
    expect((await session.discover()).map(({ stream }) => stream)).toEqual(['a.csv', 'b/c.csv', 'b/d/e.csv']);
    expect(await session.describe('none.csv')).toBeNull();
    expect(session.datasetOf('b//./*.csv')).toEqual({ namespace: 'file', name: `${folder.data}/b/*.csv` });
  });

  it.each(['../x.csv', '/etc/passwd', 'a/../../x.csv', '', '.tributary/x.csv', 'a\\b.csv'])('refuse the name %j', async (stream) => {
    await expect(folder.session().describe(stream)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(createFileConnector(() => []).normalizeStream(stream)).toBeNull();
  });

  it('refuse a folder outside of the roots, and links that lead out of them', async () => {
    const outside = createFileConnector(() => [join(folder.root, 'data', 'deeper')]).open({ folder: folder.data }, 'file');
    await expect(outside.check()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(
      createFileConnector(() => [])
        .open({ folder: folder.data }, 'file')
        .check(),
    ).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    const inside = createFileConnector(() => [folder.data]).open({ folder: folder.data }, 'file');
    await symlink(folder.work, join(folder.data, 'out'));
    await symlink('/etc/passwd', join(folder.data, 'p.csv'));
    await expect(inside.describe('p.csv')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(inside.describe('*.csv')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(inside.describe('out/x.csv')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });

  it('end a run when a file is changed or vanishes while it is read, which may be tried again', async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => `${index},text\n`).join('');
    const path = await folder.write('x.csv', `id,v\n${rows}`);
    const changed = async (change: () => Promise<unknown>) => {
      const reading = await folder.session().openReading(never);
      const request = { stream: '*.csv', columns: ['id'], window: null, keys: null, folder: folder.work, limits: { segmentBytes: 10_000 } };
      for await (const _ of reading.read(request)) await change();
    };
    await expect(changed(() => appendFile(path, '1,x\n'))).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
    await expect(changed(() => utimes(path, 1, 1))).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
    await expect(changed(() => rm(path, { force: true }))).rejects.toMatchObject({ code: 'SOURCE_FAILED', retryable: true });
  });
});

describe('configProblems', () => {
  it.each([
    [{}, 'folder'],
    [{ folder: 'relative' }, 'absolute'],
    [{ folder: '/x', csv: { delimiter: 'ab' } }, 'csv.delimiter'],
    [{ folder: '/x', csv: { delimiter: '"' } }, 'must differ'],
    [{ folder: '/x', csv: { encoding: 'klingon' } }, 'encoding'],
    [{ folder: '/x', format: 'xls' }, 'format'],
    [{ folder: '/x', host: 'y' }, 'host'],
  ])('names what is wrong with %j', (config, word) => {
    expect(
      createFileConnector(() => [])
        .configProblems(config)
        .join(' '),
    ).toContain(word);
  });

  it('has nothing against a folder alone', () => {
    expect(createFileConnector(() => []).configProblems({ folder: '/data' })).toEqual([]);
  });
});
