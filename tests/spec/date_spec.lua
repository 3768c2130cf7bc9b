-- gander.date. SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"

return {
  ["milliseconds and text name the same time"] = function(t)
    t.eq(date("2026-11-24T08:15:30.125Z").ms, 1795508130125)
    t.eq(tostring(date(1795508130125)), "2026-11-24T08:15:30.125Z")
  end,
  ["offsets are understood"] = function(t)
    t.ok(date "2026-11-24T08:15:30+02:00" == date "2026-11-24T06:15:30Z")
  end,
  ["dates compare"] = function(t)
    t.ok(date(1) < date(2) and date(2) <= date(2) and date(1) ~= date(2))
  end,
  ["text that is no date fails"] = function(t)
    for _, s in ipairs { "", "2026", "2026-02-30T00:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T08:15:30", "x" } do
      t.fails("invalid", date(s))
    end
  end,
  ["misuse raises"] = function(t)
    t.raises(date, "string expected", {})
    t.raises(date, "out of range", math.maxinteger)
    t.raises(function()
      return date(1).seconds
    end, "only 'ms'")
  end,
}
