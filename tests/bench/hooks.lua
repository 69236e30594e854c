-- hooks.lua - wrk reports as a provider does
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- BENCH_HOOKS is a file with the requests, each with its signature: a path, a body and
-- headers ("Name: value") on lines of their own, then an empty line.
function init(args)
	requests, n = {}, 0
	local lines = {}
	for line in io.lines(os.getenv("BENCH_HOOKS")) do
		if line ~= "" then
			lines[#lines + 1] = line
		else
			local headers = {}
			for i = 3, #lines do
				local name, value = lines[i]:match("^(.-): (.*)$")
				headers[name] = value
			end
			requests[#requests + 1] = wrk.format("POST", lines[1], headers,
			    lines[2])
			lines = {}
		end
	end
end

function request()
	n = n % #requests + 1
	return requests[n]
end
