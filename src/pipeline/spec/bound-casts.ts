import type { DuckDBConnection } from '@duckdb/node-api';
import type { CompiledPipeline } from '../../model/compiled-pipeline.js';
import type { BoundCast } from '../../model/run-process.js';

type Tree = { readonly [key: string]: unknown };

/** Every conversion that the steps' SQL makes once it is bound: also those that nobody wrote. `connection` has compiled it. */
export async function boundCasts({ steps }: CompiledPipeline, connection: DuckDBConnection): Promise<BoundCast[]> {
  const casts: BoundCast[] = [];
  for (const { id, selects } of steps) {
    for (const select of selects) {
      const reader = await connection.runAndReadAll('SELECT json_serialize_plan($1::VARCHAR, optimize := false, skip_null := true, skip_empty := true)', [
        select,
      ]);
      collect(JSON.parse(String(reader.getRows()[0]?.[0])) as Tree, id, casts);
    }
  }
  return casts;
}

function collect(tree: Tree, step: string, casts: BoundCast[]): void {
  const child = tree['child'] as Tree | undefined;
  if (tree['expression_class'] === 'BOUND_CAST' && child && child['expression_class'] !== 'BOUND_CONSTANT') {
    const column = child['expression_class'] === 'BOUND_REF' ? String(child['alias'] ?? '') : null;
    casts.push({ step, column, from: typeName(child['return_type']), to: typeName(tree['return_type']) });
  }
  for (const value of Object.values(tree)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one !== null && typeof one === 'object') collect(one as Tree, step, casts);
    }
  }
}

function typeName(type: unknown): string {
  const { id, type_info: info } = (type ?? {}) as { readonly id?: string; readonly type_info?: { readonly width?: number; readonly scale?: number } };
  return info?.width === undefined ? (id ?? '') : `${id}(${info.width},${info.scale})`;
}
