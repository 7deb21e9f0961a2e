import { describe, expect, it } from '@jest/globals';
import { schemaChanges, schemaHash } from '../../../src/lineage/dataset-schema.js';

const id = { id: 'col_id', name: 'id', type: 'integer', nullable: false, ordinal: 1 };
const note = { id: 'col_note', name: 'note', type: 'text', nullable: true, ordinal: 2 };
const remembered = [id, note].map((column) => ({ ...column, present: true }));
const newId = (): string => 'col_new';

describe('the changes of a schema', () => {
  it('are none for the schema that is remembered', () => {
    expect(schemaChanges(remembered, [id, note], false, newId)).toEqual({ opened: [], changed: [], closedIds: [], columns: [id, note] });
  });

  it('open new columns, close those that are gone and note another type', () => {
    const added = { name: 'added', type: 'date', nullable: true, ordinal: 2 };
    expect(schemaChanges(remembered, [{ ...id, type: 'bigint' }, added], false, newId)).toEqual({
      opened: [{ ...added, id: 'col_new' }],
      changed: [{ ...id, type: 'bigint' }],
      closedIds: ['col_note'],
      columns: [
        { ...id, type: 'bigint' },
        { ...added, id: 'col_new' },
      ],
    });
  });

  it('give a column that returns its id again', () => {
    const gone = [{ ...id, present: false }];
    expect(schemaChanges(gone, [id], false, newId)).toMatchObject({ opened: [id], changed: [], closedIds: [] });
  });

  it('leave the columns of other plans where they are', () => {
    expect(schemaChanges(remembered, [{ name: 'id', type: 'integer', nullable: true, ordinal: 7 }], true, newId)).toEqual({
      opened: [],
      changed: [],
      closedIds: [],
      columns: [id, note],
    });
  });
});

describe('the hash of a schema', () => {
  it('is the same for equal columns and another for any change', () => {
    expect(schemaHash('ds', [id, note])).toBe(schemaHash('ds', [{ ...id }, { ...note }]));
    const others = [
      schemaHash('other', [id, note]),
      schemaHash('ds', [id]),
      schemaHash('ds', [id, { ...note, nullable: false }]),
      schemaHash('ds', [id, { ...note, id: 'col_2' }]),
    ];
    expect(others).not.toContain(schemaHash('ds', [id, note]));
  });
});
