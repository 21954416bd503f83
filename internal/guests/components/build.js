// Makes components: node build.js CORE OUT SRC. Each core module in the folder CORE becomes a
// component of the same name in the folder OUT, and so does each component in text, SRC/*.wat.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

const [core, out, src] = process.argv.slice(2);
const witSource = readFileSync(new URL('wasi.wit', import.meta.url), 'utf8');
const named = (dir, suffix) => readdirSync(dir).filter((name) => name.endsWith(suffix)).sort();

async function make(name, component) {
  try {
    writeFileSync(join(out, basename(name).replace(/\.\w+$/, '.wasm')), await component());
  } catch (error) {
    console.error(`${name}: ${error.message ?? error.payload ?? error}`);
    process.exitCode = 1;
  }
}

for (const name of named(core, '.wasm')) {
  await make(name, async () => {
    const binary = readFileSync(join(core, name));
    return componentNew(await componentEmbed({ binary, witSource, world: 'guest' }), []);
  });
}
for (const name of named(src, '.wat')) {
  await make(name, () => parse(readFileSync(join(src, name), 'utf8')));
}
