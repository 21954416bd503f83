// Makes components: node build.js CORE OUT SRC. Each core module in the folder CORE becomes a
// component of the same name in the folder OUT, and so does each component in text, SRC/*.wat. The
// modules in CORE/rust import WASI preview 1, from an adapter that becomes a part of the component.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

const [core, out, src] = process.argv.slice(2);
const witSource = readFileSync(new URL('wasi.wit', import.meta.url), 'utf8');
const preview1 = new URL(
  'node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm', import.meta.url);
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
for (const name of named(join(core, 'rust'), '.wasm')) {
  await make(name, () => componentNew(readFileSync(join(core, 'rust', name)),
    [['wasi_snapshot_preview1', readFileSync(preview1)]]));
}
for (const name of named(src, '.wat')) {
  await make(name, () => parse(readFileSync(join(src, name), 'utf8')));
}
