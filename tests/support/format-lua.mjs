// Checks the format of Lua files with StyLua's library, or mends it with --write.
// usage: node format-lua.mjs [--write] FILE...
// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tools = createRequire(new URL("../../vendor/tools/package.json", import.meta.url));
const stylua = tools("@johnnymorganz/stylua");

// A configuration is used up by the call it is given to.
function style() {
  const { Config, LuaVersion, IndentType, QuoteStyle, CallParenType, CollapseSimpleStatement } = stylua;
  return Object.assign(Config.new(), {
    syntax: LuaVersion.Lua54,
    column_width: 120,
    indent_type: IndentType.Spaces,
    indent_width: 2,
    quote_style: QuoteStyle.AutoPreferDouble,
    call_parentheses: CallParenType.Input,
    collapse_simple_statement: CollapseSimpleStatement.ConditionalOnly,
  });
}

const write = process.argv[2] === "--write";
for (const file of process.argv.slice(write ? 3 : 2)) {
  const before = readFileSync(file, "utf8");
  let after;
  try {
    after = stylua.formatCode(before, style(), undefined, stylua.OutputVerification.None);
  } catch (error) {
    console.log(`${file}: ${error.message ?? error}`);
    process.exitCode = 1;
    continue;
  }
  if (after === before) continue;
  if (write) writeFileSync(file, after);
  else {
    console.log(`${file}: not formatted; make format mends it`);
    process.exitCode = 1;
  }
}
