-- gander.sys: ids, secrets, names. SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"

return {
  ["uuids are version 7 and grow"] = function(t)
    local a = sys.uuid()
    t.ok(a:find "^%x+%-%x+%-7%x+%-[89ab]%x+%-%x+$")
    local before = sys.now()
    t.wait(function()
      return sys.now() > before
    end)
    t.ok(a < sys.uuid())
  end,
  ["what is sealed comes back, and never looks the same twice"] = function(t)
    for _, text in ipairs { "", "a", "ab", "abc", ("x"):rep(5000), "\0\xff" } do
      local sealed = sys.seal(text)
      t.eq(sys.unseal(sealed), text)
      t.ok(sealed ~= sys.seal(text))
      t.ok(text == "" or #text < 5 or not sealed:find(text, 1, true))
    end
  end,
  ["a changed seal fails"] = function(t)
    local sealed = sys.seal "secret value"
    t.fails("invalid", sys.unseal(sealed:sub(1, -6) .. "AAAA="))
    t.fails("invalid", sys.unseal "v1:")
    t.fails("invalid", sys.unseal "not sealed")
  end,
  ["hmac is stable and differs by text"] = function(t)
    t.eq(sys.hmac "a", sys.hmac "a")
    t.ok(sys.hmac "a" ~= sys.hmac "b")
    t.eq(#sys.hmac "a", 64)
  end,
  ["sha256 is the standard's"] = function(t)
    t.eq(sys.sha256 "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  end,
  ["fold makes names equal that read equal"] = function(t)
    t.eq(sys.fold "Straße", sys.fold "STRASSE")
    t.eq(sys.fold "ＡＢ", "ab")
    t.fails("invalid", sys.fold "\xff")
  end,
  ["random has the asked length"] = function(t)
    t.eq(#sys.random(16), 16)
    t.raises(sys.random, "1 to 4096", 0)
  end,
  ["the configuration has defaults and refuses new keys"] = function(t)
    t.eq(sys.config.limits.body, 1048576)
    t.raises(function()
      sys.config.x = 1
    end, "read%-only")
  end,
}
