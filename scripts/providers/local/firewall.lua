-- The packet filter inside a sandbox's network: what its egress plan lets out.
--
-- Rules are loaded from outside, by entering the user namespace that owns the network; the sandbox has no rights there.
-- SPDX-License-Identifier: Apache-2.0
local fs = require "gander.fs"
local process = require "gander.process"

local M = {}

M.DNS = "10.0.2.3" -- slirp4netns answers there

local PRIVATE = {
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
}

-- Addresses and networks of this machine, as CIDRs.
local function own_networks()
  local nets = {}
  local function dotted(hex)
    local value = tonumber(hex, 16) -- in this machine's byte order, the first byte lowest
    return string.format("%d.%d.%d.%d", value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24)
  end
  for to, mask in (fs.read "/proc/net/route" or ""):gmatch "\n%S+%s+(%x+)%s+%x+%s+%S+%s+%S+%s+%S+%s+%S+%s+(%x+)" do
    local bits, value = 0, tonumber(mask, 16)
    while value > 0 do
      bits, value = bits + (value & 1), value >> 1
    end
    if bits > 0 then nets[#nets + 1] = dotted(to) .. "/" .. bits end
  end
  for address in (fs.read "/proc/net/fib_trie" or ""):gmatch "|%-%- (%S+)\n[^\n]-/32 host LOCAL" do
    nets[#nets + 1] = address .. "/32"
  end
  return nets
end

-- Networks that are out of reach whatever is allowed. `lan`: the provider lets sandboxes into private networks.
function M.refused(plan, lan)
  local nets = table.move(plan.deny, 1, #plan.deny, 1, {})
  if not lan then
    table.move(PRIVATE, 1, #PRIVATE, #nets + 1, nets)
    for _, net in ipairs(own_networks()) do
      nets[#nets + 1] = net
    end
  end
  return nets
end

local function rules(plan, lan)
  local lines = { "table inet gander {" }
  local function set(name, nets)
    if #nets > 0 then
      lines[#lines + 1] = "set "
        .. name
        .. " { type ipv4_addr; flags interval; auto-merge; elements = { "
        .. table.concat(nets, ", ")
        .. " } }"
    end
  end
  local no = M.refused(plan, lan)
  set("denied", plan.deny)
  set("refused", no)
  set("allowed", plan.nets)
  local function line(text)
    lines[#lines + 1] = text
  end
  line "chain out { type filter hook output priority 0; policy drop;"
  line 'oifname "lo" accept'
  line "ct state established,related accept"
  if #plan.deny > 0 then line "ip daddr @denied reject" end
  line("ip daddr " .. M.DNS .. " udp dport 53 accept")
  line("ip daddr " .. M.DNS .. " tcp dport 53 accept")
  if #plan.nets > 0 then line "ip daddr @allowed accept" end
  if #no > 0 then line "ip daddr @refused reject with icmp type admin-prohibited" end
  line(
    plan.mode == "allow" and "meta nfproto ipv4 accept" or "meta nfproto ipv4 reject with icmp type admin-prohibited"
  )
  line "reject\n}"
  line 'chain in { type filter hook input priority 0; policy drop;\niifname "lo" accept\nct state established,related accept\n}'
  line "}"
  return table.concat(lines, "\n") .. "\n"
end

-- -> true | nil, message, code
function M.load(init, uid, plan, lan)
  local r, message, code = process.run {
    argv = { "nsenter", "--user=/proc/self/fd/8", "--net=/proc/self/fd/9", "--preserve-credentials", "nft", "-f", "-" },
    fds = { [0] = { data = rules(plan, lan) }, [8] = { ns = "user", of = init }, [9] = { ns = "net", of = init } },
    uid = uid,
    timeout_ms = 10000,
  }
  if not r then
    return nil, "nft: " .. message, code
  elseif r.code ~= 0 then
    return nil, "nft: " .. r.err:sub(1, 400):gsub("%s+$", ""), "unavailable"
  end
  return true
end

return M
