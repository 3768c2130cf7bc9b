-- gander.json: values round-trip exactly. SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"

local function trip(v)
  return json.decode(json.encode(v, { typed = true }), { typed = true })
end

return {
  ["integers keep all 64 bits"] = function(t)
    for _, n in ipairs { 0, -1, 9007199254740993, math.maxinteger, math.mininteger } do
      t.eq(trip(n), n)
    end
  end,
  ["an integer beyond 64 bits becomes a double"] = function(t)
    t.eq(json.decode "9223372036854775808", 2.0 ^ 63)
  end,
  ["doubles round-trip with the fewest digits"] = function(t)
    for _, n in ipairs { 0.1, 1 / 3, 1e300, 5e-324, -0.0, 2.0 ^ 53 } do
      t.eq(trip(n), n)
    end
    t.eq(json.encode(0.1), "0.1")
    t.eq(json.encode(3.0), "3.0")
  end,
  ["empty arrays and empty objects differ"] = function(t)
    t.eq(json.encode(json.array {}), "[]")
    t.eq(json.encode {}, "{}")
    t.eq(json.encode(trip { a = json.array {}, o = json.object {} }), '{"a":[],"o":{}}')
  end,
  ["null is kept"] = function(t)
    t.eq(json.decode('{"a":null}').a, json.null)
    t.eq(json.encode { json.null, 1 }, "[null,1]")
  end,
  ["members are written in byte order"] = function(t)
    t.eq(json.encode { b = 1, a = 2, B = 3, [""] = 4 }, '{"":4,"B":3,"a":2,"b":1}')
  end,
  ["dates are text outwards and dates again when typed"] = function(t)
    local d = date(1764061200123)
    t.eq(json.encode { d = d }, '{"d":"2025-11-25T09:00:00.123Z"}')
    t.ok(trip({ d })[1] == d)
  end,
  ["a member named $date with others beside it stays an object"] = function(t)
    t.eq(json.decode('{"$date":1,"x":2}', { typed = true }), { ["$date"] = 1, x = 2 })
  end,
  ["text of any Unicode round-trips"] = function(t)
    local s = 'a\0b\n"\\/ä€😀\u{7f}\u{2028}'
    t.eq(trip(s), s)
    t.eq(json.decode '"\\ud83d\\ude00\\u00e4"', "😀ä")
  end,
  ["bad UTF-8 is refused both ways"] = function(t)
    t.raises(json.encode, "not valid UTF%-8", "\xff")
    t.fails("invalid", json.decode '"\xc0\xaf"')
    t.fails("invalid", json.decode '"\\ud800"')
  end,
  ["what is no JSON is refused with the place"] = function(t)
    for _, s in ipairs { "", "{", "[1,]", "{a:1}", "01", "1.", "nul", '"\t"', "[1] 2", '{"a" 1}', "+1", "'x'" } do
      local message = t.fails("invalid", json.decode(s))
      t.ok(message:find "at byte %d", message)
    end
  end,
  ["depth is bounded"] = function(t)
    t.fails("invalid", json.decode(("["):rep(2000)))
    t.eq(json.decode("[[1]]", { max_depth = 2 })[1][1], 1)
    t.fails("invalid", json.decode("[[1]]", { max_depth = 1 }))
    local cycle = {}
    cycle[1] = cycle
    t.raises(json.encode, "nested deeper", cycle)
  end,
  ["what JSON cannot hold raises and names the place"] = function(t)
    t.raises(json.encode, "a: b: %[2%]: a function", { a = { b = { 1, print } } })
    t.raises(json.encode, "nan or inf", 0 / 0)
    t.raises(json.encode, "both array items and other keys", { 1, a = 2 })
    t.raises(json.encode, "key is a boolean", { [true] = 1 })
  end,
  ["misuse raises"] = function(t)
    t.raises(json.decode, "string expected", {})
    t.raises(json.encode, "unknown option 'prety'", 1, { prety = true })
    t.raises(json.array, "table expected", 1)
  end,
  ["pretty is the same value in lines"] = function(t)
    t.eq(json.encode({ a = { 1 } }, { pretty = true }), '{\n  "a": [\n    1\n  ]\n}')
  end,
}
