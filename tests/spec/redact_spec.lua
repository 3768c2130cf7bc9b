-- SPDX-License-Identifier: Apache-2.0
local redact = require "lib.redact"

local function pieces(redactor, text, cut)
  local first, held = redactor:split(text:sub(1, cut))
  local second, rest = redactor:split(held .. text:sub(cut + 1))
  return first .. second .. redactor:text(rest)
end

return {
  ["replaces each secret, the longest first"] = function(t)
    local r = redact.new { "password", "password-long" }
    t.eq(r:text "a password, a password-long.", "a ***, a ***.")
  end,

  ["leaves short values and texts without secrets alone"] = function(t)
    local r = redact.new { "short", "", "1234567" }
    t.eq(r:text "short 1234567", "short 1234567")
    t.eq({ r:split "short" }, { "short", "" })
  end,

  ["knows secrets with signs that patterns use"] = function(t)
    local r = redact.new { "%a+.-[^]$()", "]]]]----" }
    t.eq(r:text "x%a+.-[^]$()y]]]]----z", "x***y***z")
  end,

  ["hides both of two secrets that overlap"] = function(t)
    local r = redact.new { "password", "wordperfect" }
    t.eq(r:text "my passwordperfect day", "my *** day")
  end,

  ["hides the lines of a secret of several lines"] = function(t)
    local r = redact.new { "first line\nsecond line\nx" }
    t.eq(r:text "second line", "***")
    t.eq(r:text "first line\nsecond line\nx", "***")
  end,

  ["hides a secret wherever a stream cuts it"] = function(t)
    local r = redact.new { "password", "wordperfect", "sk-0123456789" }
    for _, text in ipairs { "aa sk-0123456789 bb", "aa passwordperfect bb", "sk-0123sk-0123456789", "x password" } do
      for cut = 0, #text do
        local got = pieces(r, text, cut)
        t.eq(got, r:text(text), "cut at " .. cut .. " of '" .. text .. "'")
        t.ok(not got:find("sk-0123456789", 1, true) and not got:find("password", 1, true))
      end
    end
  end,

  ["holds back no more than may become a secret"] = function(t)
    local r = redact.new { "sk-0123456789" }
    t.eq({ r:split "the key is sk-01" }, { "the key is ", "sk-01" })
    t.eq({ r:split "the key is sk-0x" }, { "the key is sk-0x", "" })
  end,

  ["goes through all strings of a value and copies it"] = function(t)
    local r = redact.new { "topsecret" }
    local value = { a = { "x topsecret", 5, true }, topsecret = 1 }
    t.eq(r:value(value), { a = { "x ***", 5, true }, ["***"] = 1 })
    t.eq(value.a[1], "x topsecret")
  end,
}
