-- SPDX-License-Identifier: Apache-2.0
local FINAL = { invalid = true, denied = true, not_found = true } -- trying again would fail the same way

return {
  doc = "A failed activation is tried again 3 times, after about 2, 4 and 8 seconds, or when the provider says.",
  on = "retry",
  order = 50,

  decide = function(facts)
    local attempt = facts.attempt
    local retries = facts.settings.retries or 3
    if attempt.retryable == false or FINAL[attempt.code] then
      return give_up "it would fail again in the same way"
    elseif attempt.n > retries then
      return give_up("it failed " .. attempt.n .. " times")
    elseif attempt.retry_after_ms then
      return retry(attempt.retry_after_ms, "the provider asks to wait")
    end
    local base = facts.settings.retry_base_ms or 2000
    local wait = base * 2 ^ (attempt.n - 1)
    local jittered = math.floor(wait * (0.75 + 0.5 * facts.random))
    return retry(jittered, "try " .. attempt.n .. " of " .. retries)
  end,

  tests = {
    {
      name = "the first failure is tried again",
      facts = { attempt = { n = 1, code = "unavailable" } },
      expect = "retry",
    },
    { name = "so is the third", facts = { attempt = { n = 3, code = "timeout" } }, expect = "retry" },
    { name = "the fourth is the last", facts = { attempt = { n = 4, code = "timeout" } }, expect = "give_up" },
    { name = "a bad source is not tried again", facts = { attempt = { n = 1, code = "invalid" } }, expect = "give_up" },
    {
      name = "the provider's own wait is kept",
      facts = { attempt = { n = 1, code = "busy", retry_after_ms = 60000 } },
      expect = "retry",
    },
  },
}
