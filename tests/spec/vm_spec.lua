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
}
