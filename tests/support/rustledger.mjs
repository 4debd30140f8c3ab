// Load a ledger in rustledger; print how many directives it has, and its errors.
//
//   node rustledger.mjs FOLDER-OF-THE-MODULE MAIN-FILE FILE...
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

const [module, entry, ...files] = process.argv.slice(2);
const rustledger = await import(pathToFileURL(join(module, "rustledger_wasm.js")).href);
rustledger.initSync({ module: readFileSync(join(module, "rustledger_wasm_bg.wasm")) });
const name = (file) => relative(dirname(entry), file);
const texts = [entry, ...files].map((file) => [name(file), readFileSync(file, "utf8")]);
const ledger = rustledger.Ledger.fromFiles(Object.fromEntries(texts), name(entry));
console.log(JSON.stringify({ directives: ledger.directiveCount(), errors: ledger.getErrors() }));
