// Runs a project file of JavaScript and writes what it exports, as JSON with tags, into a file. Arguments: the project file, the file for
// the result, and `careful` where nothing may be loaded that others can write. Standard output belongs to the project file. Node, Bun and
// Deno all run this.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const [program, self, file, result, careful] = process.argv;
// What a file sees that was started by itself.
process.argv = [program, file];

// The files that the project file loads: what `require` has loaded, and what stands with a relative path in an import, in a require, or in
// a file loaded so. A path that leads nowhere is told as well: the file may come.
const SCANNED = 200;
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*(?:\.resolve\s*)?\(\s*)(["'`])(\.{1,2}\/[^"'`\n$]*)\1/g;
const modules = () => {
  const found = new Set([file]);
  const cache = createRequire(file).cache ?? {};
  for (const path of Object.keys(cache)) if (path.startsWith("/") && path !== self) found.add(path);
  for (const path of found) {
    if (found.size > SCANNED) break;
    if (!/\.[cm]?[jt]sx?$/.test(path) || path.includes("/node_modules/")) continue;
    let text = "";
    try {
      text = readFileSync(path, "utf8");
    } catch {
      continue;
    }
    const require = createRequire(path);
    for (const [, , specifier] of text.matchAll(SPECIFIER)) {
      const written = fileURLToPath(new URL(specifier, pathToFileURL(path)));
      try {
        found.add(require.resolve(specifier));
      } catch {
        found.add(/\.\w+$/.test(written) ? written : `${written}.js`);
      }
    }
  }
  return [...found];
};

const exit = process.exit.bind(process);
let answered = false;
const answer = (value) => {
  answered = true;
  writeFileSync(result, JSON.stringify({ ...value, modules: modules() }));
};
let left = false;
process.exit = (code) => {
  left = true;
  exit(code);
};
process.on("exit", () => answered || answer({ unfinished: left }));

// The same rule as that of the project file itself, asked before a file is run. What is written with its path is found beforehand, what
// `require` is given by a program when it is, and the rest of what `import` is given where the runtime can tell (Node from 22.15).
const refuse = (path) => {
  let about;
  try {
    about = statSync(path);
  } catch {
    return;
  }
  const others = (about.mode & 0o002) !== 0 || ((about.mode & 0o020) !== 0 && about.gid !== 0);
  if (!about.isFile() || !others) return;
  answer({ refused: [path, about.mode] });
  exit(0);
};
if (careful) {
  for (const path of modules()) refuse(path);
  const loader = createRequire(import.meta.url)("node:module");
  const resolve = loader._resolveFilename;
  if (resolve) {
    loader._resolveFilename = function (...request) {
      const path = resolve.apply(this, request);
      if (String(path).startsWith("/")) refuse(path);
      return path;
    };
  }
  loader.registerHooks?.({
    load(url, context, next) {
      if (url.startsWith("file:")) refuse(fileURLToPath(url));
      return next(url, context);
    },
  });
}

// A value as a flat list: what JSON can say as it is, else a tag. A list or a map is its tag, then its parts, each as a list like this.
const DEPTH = 100;
const encode = (value, out = [], above = []) => {
  switch (typeof value) {
    case "string":
    case "boolean":
      out.push(value);
      return out;
    case "number":
      out.push(Number.isFinite(value) ? value : { float: String(value) });
      return out;
    case "object":
      break;
    default:
      out.push({ other: typeof value });
      return out;
  }
  if (value === null) return out.push(value), out;
  if (above.includes(value)) return out.push({ other: "circle" }), out;
  if (above.length >= DEPTH) return out.push({ other: "deep" }), out;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  const below = [...above, value];
  if (kind === "RegExp") return out.push({ regex: [value.source, value.flags] }), out;
  if (["Promise", "Map", "Set", "Symbol"].includes(kind)) return out.push({ other: kind }), out;
  if (["String", "Number", "Boolean"].includes(kind)) return encode(value.valueOf(), out, below);
  if (typeof value.toJSON === "function") return encode(value.toJSON(), out, below);
  if (Array.isArray(value)) {
    out.push({ list: value.length });
    for (let at = 0; at < value.length; at++) encode(value[at], out, below);
    return out;
  }
  const keys = Object.keys(value);
  out.push({ map: keys.length });
  for (const key of keys) {
    out.push(key);
    encode(value[key], out, below);
  }
  return out;
};

// The places of a stack, nearest first, without the runtime's own and this file: [path, line, column].
const places = (stack) => {
  const found = [];
  for (const match of stack.matchAll(/(?:^|[\s(@])((?:file:\/\/)?\/[^\s()]*?|(?:file:\/\/)?\/[^\n()]*?):(\d+)(?::(\d+))?\)?$/gm)) {
    let path = match[1];
    try {
      if (path.startsWith("file:")) path = fileURLToPath(path);
    } catch {
      continue;
    }
    if (path !== self && path !== import.meta.filename) found.push([path, Number(match[2]), Number(match[3] ?? 0)]);
  }
  return found.slice(0, 8);
};

// Node tells the place of a syntax error in a module to its own terminal alone.
const checked = () => {
  if (process.versions.bun || process.versions.deno) return "";
  try {
    // Not imported above: it takes node a moment that only a broken file is worth.
    const { execFileSync } = createRequire(import.meta.url)("node:child_process");
    execFileSync(program, ["--check", file], { stdio: "pipe", env: { PATH: process.env.PATH } });
    return "";
  } catch (error) {
    return String(error.stderr ?? "");
  }
};

// The column that carets point at: "   ^^^" below the line.
const caret = (text) => {
  const marks = /^( *)\^+ *$/m.exec(text);
  return marks ? marks[1].length + 1 : 0;
};

// Deno draws the line and a marker into the message, and the line is shown anyway.
const plain = (message) => (/\n +\|\n/.test(message) ? message.split("\n")[0] : message);

const describe = (error) => {
  if (!(error instanceof Error) && Object.prototype.toString.call(error) !== "[object Error]") {
    const text = typeof error === "object" ? JSON.stringify(error) : String(error);
    return { name: "", message: text, places: [] };
  }
  // Bun tells the places of syntax errors by themselves.
  const built = error.errors?.[0]?.position ? error.errors[0] : error.position?.file ? error : undefined;
  if (built) return { name: "SyntaxError", message: built.message, places: [[built.position.file, built.position.line, built.position.column]] };
  let stack = String(error.stack ?? "");
  const syntax = error.name === "SyntaxError";
  if (syntax && places(stack).length === 0) stack = checked();
  const where = places(stack);
  if (syntax && where.length > 0 && where[0][2] === 0) where[0][2] = caret(stack);
  const causes = [];
  for (let cause = error.cause; cause !== undefined && cause !== null && causes.length < 5; cause = cause.cause) causes.push(String(cause.message ?? cause));
  return { name: String(error.name), message: plain(String(error.message)), places: where, causes };
};

const load = async () => {
  try {
    const names = await import(pathToFileURL(file).href);
    return "default" in names ? names.default : { ...names };
  } catch (error) {
    // Deno takes .js for a module wherever no package.json tells otherwise.
    if (process.versions.deno && error instanceof ReferenceError && /^(module|exports|require|__dirname|__filename) is not defined/.test(error.message)) {
      return createRequire(file)(file);
    }
    throw error;
  }
};

try {
  let value = await load();
  // What a compiler made of `export default`.
  if (value?.__esModule && "default" in value) value = value.default;
  value = await value;
  if (typeof value === "function") value = await value();
  answer({ value: encode(value) });
} catch (error) {
  answer({ error: describe(error) });
}
// A timer or a server that the file left open must not keep us waiting.
exit(0);
