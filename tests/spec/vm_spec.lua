-- What scripts cannot do, and the limits no script escapes. SPDX-License-Identifier: Apache-2.0
local function run(text)
  return load(
    text,
    "=test",
    "t",
    { pcall = pcall, string = string, setmetatable = setmetatable, coroutine = coroutine, load = load }
  )
end

return {
  ["os, io, debug and package are not there"] = function(t)
    for _, name in ipairs { "os", "io", "debug", "package", "dofile", "loadfile", "collectgarbage" } do
      t.raises(function()
        return require("lib.spec") and _ENV[name]
      end, "there is no '" .. name .. "'")
    end
  end,
  ["globals cannot be made"] = function(t)
    t.raises(function()
      _ENV.leak = 1
    end, "declare it local")
  end,
  ["bytecode is refused"] = function(t)
    t.eq(string.dump, nil)
    local f, message = load("\27Lua", "=x", "b", {})
    t.eq(f, nil)
    t.ok(message:find "binary chunk")
  end,
  ["finalizers are refused"] = function(t)
    t.raises(setmetatable, "__gc is not allowed", {}, { __gc = print })
  end,
  ["pcall, xpcall and coroutines work as in Lua"] = function(t)
    t.eq({ pcall(error, "x", 0) }, { false, "x" })
    t.eq(
      select(
        "#",
        pcall(function(...)
          return ...
        end, 1, nil, 3)
      ),
      4
    )
    t.eq({ xpcall(error, function(e)
      return e .. "!"
    end, "x", 0) }, { false, "x!" })
    local co = coroutine.wrap(function(a)
      local ok, b = pcall(coroutine.yield, a + 1)
      return ok, b
    end)
    t.eq(co(1), 2)
    t.eq({ co(7) }, { true, 7 })
  end,
  ["a script that requires itself is told so"] = function(t)
    t.raises(require, "there is no script", "lib.nowhere")
    t.raises(require, "there is no binding", "gander.nowhere")
  end,
  ["load runs text in the given environment alone"] = function(t)
    t.eq(run("return string.rep('a', 3)")(), "aaa")
    t.raises(run "return os.time()", "global 'os'")
  end,
  ["no code escapes the deadline of its call"] = function(t)
    local loop = "function() while true do end end"
    local closing = "local x <close> = setmetatable({}, { __close = " .. loop .. " })"
    local escapes = {
      pcall = "while true do pcall(" .. loop .. ") end",
      ["a message handler"] = "xpcall(" .. loop .. ", " .. loop .. ")",
      ["a message handler of another error"] = "xpcall(error, " .. loop .. ")",
      ["a coroutine that is resumed"] = "while true do coroutine.resume(coroutine.create(" .. loop .. ")) end",
      ["closing in a wrapped coroutine"] = "coroutine.wrap(function() " .. closing .. " while true do end end)()",
      ["closing a dead coroutine"] = "local co = coroutine.create(function() "
        .. closing
        .. " while true do end end) "
        .. "local y <close> = setmetatable({}, { __close = function() coroutine.close(co) end }) coroutine.resume(co)",
      ["closing a suspended coroutine"] = "local co = coroutine.create(function() "
        .. closing
        .. " coroutine.yield() end) "
        .. "coroutine.resume(co) coroutine.close(co)",
      ["coroutines too short to be counted"] = "local function f(depth) if depth > 0 then for _ = 1, 90 do "
        .. "coroutine.wrap(f)(depth - 1) end end end f(9)",
      ["a closing variable"] = closing .. " while true do end",
      ["a metamethod"] = "local m = setmetatable({}, { __index = "
        .. loop
        .. " }) while true do pcall(rawequal, m.x, 1) end",
      ["an error's text"] = "error(setmetatable({}, { __tostring = " .. loop .. " }))",
      ["a comparison"] = "table.sort({ 1, 2, 3 }, " .. loop .. ")",
      ["a replacement"] = "string.gsub('a', 'a', " .. loop .. ")",
    }
    for what, text in pairs(escapes) do
      local f = "return { f = function() " .. text .. " end }"
      local result, message, code = t.call({ ["lib/escape.lua"] = f }, "lib/escape#f", 200)
      t.fails("timeout", result, message, code)
      t.ok(message:find "ran past", what .. ": " .. tostring(message))
    end
  end,
  ["a loop in C is refused when it would not end"] = function(t)
    local loops = {
      "string.rep('', 1 << 62)",
      "table.move({}, 1, 1 << 62, 2)",
      "table.move({}, math.mininteger, math.maxinteger - 1, 2)",
      "table.insert(setmetatable({}, { __len = function() return 1 << 62 end }), 1, 1)",
      "table.remove(setmetatable({}, { __len = function() return 1 << 62 end }), 1)",
      "table.sort(setmetatable({}, { __len = function() return 1 << 30 end }))",
      "string.find(string.rep('a', 60), string.rep('a?', 60) .. string.rep('a', 60))",
    }
    for _, text in ipairs(loops) do
      local f = "return { f = function() " .. text .. " end }"
      local result, message, code = t.call({ ["lib/escape.lua"] = f }, "lib/escape#f", 20000)
      t.fails("internal", result, message, code)
      t.ok(message:find "^lib/escape.lua:1: ", text .. ": " .. message)
    end
  end,
  ["a decision is refused patterns that would not end"] = function(t)
    local slow = {
      "local s = ('a'):rep(20000) s:find '.*.*b'",
      "local s = ('a'):rep(2000) s:find '^.*.*.*b'",
      "local s = ('a'):rep(20) s:find(('a?'):rep(30) .. ('a'):rep(30))",
      "local s = ('('):rep(20000) s:find '%b()%b()'",
      "local s = ('a'):rep(1000000) s:find(('a'):rep(500000) .. 'b')",
    }
    for _, text in ipairs(slow) do
      local f = "return { decide = function() " .. text .. " end }"
      local result, message, code = t.call({ ["policies/escape.lua"] = f }, "policies/escape#decide", 20000)
      t.fails("internal", result, message, code)
      t.ok(message:find "may take too long", text .. ": " .. message)
    end
    local fine = "return { decide = function() return ('a line of words'):match '^%s*(.-)%s*$' end }"
    t.eq(t.call({ ["policies/escape.lua"] = fine }, "policies/escape#decide", 20000), '"a line of words"')
  end,
  ["a decision ends after so many instructions"] = function(t)
    local endless = {
      "while true do end",
      "while true do pcall(function() while true do end end) end",
      "while true do string.rep('a', 100000) end",
      "while true do table.move({}, 1, 1000000, 2) end",
    }
    for _, text in ipairs(endless) do
      local f = "return { decide = function() " .. text .. " end }"
      local result, message, code = t.call({ ["policies/escape.lua"] = f }, "policies/escape#decide", 60000)
      t.fails("internal", result, message, code)
      t.ok(message:find "more than %d+ instructions", text .. ": " .. message)
    end
  end,
  ["memory and the stack have an end"] = function(t)
    local hungry = {
      ["not enough memory"] = "local t = {} for i = 1, 1e9 do t[i] = i end",
      ["more than"] = "string.rep('a', 1 << 50)",
      ["not enough"] = "local function f() return 1 + f() end f()",
      ["C stack overflow"] = "local function f(s) return (s:gsub('.', f)) end f 'a'",
      ["too many"] = "return #table.pack(load(('('):rep(100000), '=x', 't', {})) == 2 and error 'too many levels'",
    }
    for pattern, text in pairs(hungry) do
      local f = "return { f = function() " .. text .. " end }"
      local result, message = t.call({ ["lib/escape.lua"] = f }, "lib/escape#f", 60000)
      t.eq(result, nil, pattern)
      t.ok(message:find(pattern), pattern .. ": " .. message)
    end
  end,
  ["an error of a library function names the script's line"] = function(t)
    t.raises(function()
      table.insert(nil, 1)
    end, "vm_spec.lua:%d+: bad argument #1 to 'insert'")
  end,
  ["close takes handles alone"] = function(t)
    local date = require "gander.date"
    local db = require("gander.sqlite").open(t.tmpdir() .. "/x.db")
    for _, value in ipairs { date(0), require("gander.json").null, {}, "x", 1 } do
      t.raises(db.close, "close wants a handle", value)
    end
    db:close()
  end,
}
