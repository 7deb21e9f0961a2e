// Finds or downloads mongod with mongodb-memory-server-core and answers its parent with the path:
//   node mongod-download-process.js locate | download [VERSION]
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';

const [mode, version] = process.argv.slice(2);
const wanted = version === undefined || version === '' ? {} : { version };

async function answer(): Promise<{ readonly path: string | null } | { readonly problem: string }> {
  try {
    if (mode === 'download') return { path: await MongoBinary.getPath(wanted) };
    return { path: (await DryMongoBinary.locateBinary(await DryMongoBinary.generateOptions(wanted))) ?? null };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { problem: text.replaceAll(/\s+/g, ' ').slice(0, 300) };
  }
}

// Nobody waits for it any more.
process.on('disconnect', () => process.exit(1));

process.send?.(await answer(), () => process.exit(0));
