// SPDX-License-Identifier: MIT
// Plausible data for tests of the page alone: a server-like run, of any number of
// variables. Nothing of this is ever shipped; real streams are tested beside it.
import { Encoder } from "./encode.mjs";

function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const types = [
  ["struct conn", 3, 128, 8, [["next", "struct conn *", 0, 8, 1], ["fd", "int", 8, 4], ["state", "unsigned char", 12, 1], ["rbuf", "char *", 16, 8, 1], ["wbuf", "char *", 24, 8, 1], ["rlen", "size_t", 32, 8], ["deadline", "struct timespec", 40, 16], ["flags", "unsigned int", 56, 4], ["peer", "struct sockaddr_in6", 60, 28], ["user", "void *", 88, 8, 1], ["name", "char[24]", 96, 24], ["closing", "bool", 120, 1]]],
  ["char", 1, 1, 1, []],
  ["TString", 3, 24, 8, [["next", "GCObject *", 0, 8, 1], ["tt", "lu_byte", 8, 1], ["marked", "lu_byte", 9, 1], ["extra", "lu_byte", 10, 1], ["shrlen", "lu_byte", 11, 1], ["hash", "unsigned int", 12, 4], ["u", "union", 16, 8]]],
  ["Node", 4, 32, 8, [["u", "struct NodeKey", 0, 24], ["i_val", "TValue", 0, 16]]],
  ["struct dictEntry", 3, 24, 8, [["key", "void *", 0, 8, 1], ["v", "union", 8, 8], ["next", "struct dictEntry *", 16, 8, 1]]],
  ["struct page_buffer", 3, 16416, 8, [["lsn", "uint64_t", 0, 8], ["dirty", "bool", 8, 1], ["pins", "uint32_t", 12, 4], ["data", "unsigned char[16384]", 16, 16384], ["lru_next", "struct page_buffer *", 16400, 8, 1], ["lru_prev", "struct page_buffer *", 16408, 8, 1]]],
  ["std::unordered_map<std::string, std::vector<std::pair<int, double>>>", 5, 56, 8, [["_M_h", "_Hashtable<std::string, …>", 0, 56]]],
  ["Proto", 3, 128, 8, []],
  ["double", 1, 8, 8, []],
  ["struct request", 3, 72, 8, [["id", "uint64_t", 0, 8], ["kind", "unsigned int : 3", 8, 0, 0, 3, 0], ["urgent", "unsigned int : 1", 8, 0, 0, 1, 3], ["body", "char *", 16, 8, 1], ["headers", "struct header *[4]", 24, 32, 1], ["length", "uint32_t", 56, 4], ["arena", "struct arena *", 64, 8, 1]]],
];
const holders = ["conn->rbuf", "conn->wbuf", "L->strt.hash[i]", "t->node", "server.db[j].dict->ht_table[0]", "req->headers[n].value", "pool->pages[k]", "ts", "cache.entries[slot]->payload", "out", "self->children.items", "argv[i]", "index->postings[term].list.blocks[b]", "p", "f->code"];
const files = ["/home/dev/server/src/net/connection.c", "/home/dev/server/src/store/page_cache.c", "/home/dev/server/src/lua/lstring.c", "/home/dev/server/src/lua/ltable.c", "/home/dev/server/src/query/request_parser_with_a_rather_long_name.cpp", "/home/dev/server/src/index/postings.cc"];
const functions = ["conn_new", "page_cache_fetch", "luaS_createlngstrobj", "luaH_resize", "request_parse_headers", "index::PostingList::append(unsigned int, std::string_view)", "buffer_reserve"];
const modules = ["server", "libstore.so.3", "libc.so.6", "libstdc++.so.6", "plugin_geo.so", "libcrypto.so.3"];
const threads = ["main", "io-0", "io-1", "flusher", "compactor"];

export function synthetic({ sites: count = 240, samples = 400, seed = 7, sampled = false } = {}) {
  const rnd = random(seed), e = new Encoder();
  const pick = (list) => list[Math.floor(rnd() * list.length)];
  const big = (most, skew = 4) => Math.floor(most * rnd() ** skew);

  const site = {}, place = {};
  const put = (into, row) => { for (const [k, v] of Object.entries(row)) (into[k] ??= []).push(v); };
  const chains = { site: [], place: [] }, lifetimes = { site: [], bucket: [], blocks: [] };
  const tally = () => ({ site: [], id: [], count: [] });
  const allocThreads = tally(), freeThreads = tally(), freePlaces = tally();
  const fns = { site: [], name: [], count: [] }, points = { site: [], sample: [], live_bytes: [] };

  for (let i = 0; i < count; i++) {
    const type = 1 + Math.floor(rnd() ** 1.6 * types.length), holder = count > 5000 ? `${pick(holders)}_${i.toString(36)}` : pick(holders);
    const file = pick(files), fn = pick(functions), line = 20 + big(1800, 1);
    const allocations = 1 + big(4e6 / (1 + i / 6), 3), size = types[type - 1][2] * (1 + big(8, 2));
    const peak = Math.floor((92e6 / (1 + i) ** 1.15) * (0.5 + rnd())) + size;
    const keeps = rnd() < 0.3, liveBlocks = keeps ? Math.max(1, Math.floor(allocations * rnd() * 0.1)) : 0;
    const naming = rnd() < 0.96 ? 0 : rnd() < 0.5 ? 1 : 2;
    const median = 2 ** (4 + rnd() * 28);
    put(place, { text: naming === 2 ? `libcrypto.so.3+0x${(4096 + line * 16).toString(16)}` : `${file.slice(file.lastIndexOf("/") + 1)}:${line} ${fn}`, holder: naming === 2 ? "" : holder, function: naming === 2 ? "" : fn, callee: pick(["malloc", "xmalloc", "zmalloc", "luaM_malloc_", "operator new"]), file: naming === 2 ? "" : file, line: naming === 2 ? 0 : line, column: 1 + big(60, 1), kind: 2, flags: 0, type: naming === 2 ? 0 : type, element_bytes: types[type - 1][2], module: 1 + big(6, 2), site_id: i + 1, address: 0 });
    put(site, {
      place: i + 1, holder: naming === 2 ? "" : holder, type: naming === 2 ? 0 : type, element_bytes: types[type - 1][2], holder_id: 1 + (i % 40), module: 1 + big(6, 2), provenance: rnd() < 0.9 ? 0 : 1, naming,
      allocations, frees: allocations - liveBlocks, reallocations: big(allocations, 6), allocated_bytes: allocations * size, live_blocks: liveBlocks, live_bytes: liveBlocks * size,
      peak_bytes: peak, peak_blocks: Math.ceil(peak / size), bytes_at_peak: Math.floor(peak * rnd()), blocks_at_peak: Math.ceil((peak * 0.6) / size), temporary: rnd() < 0.2 ? Math.floor(allocations * rnd()) : 0,
      smallest_bytes: size, largest_bytes: rnd() < 0.5 ? size : size * 12, first_ns: big(4e9, 2), last_ns: 4e9 + big(8e9, 1),
      lifetime_count: allocations - liveBlocks, lifetime_min_ns: big(4000), lifetime_max_ns: median * 900, lifetime_median_ns: Math.floor(median), lifetime_p99_ns: Math.floor(median * 60), thread_count: 1 + big(4, 3),
    });
    const hops = naming === 2 ? 0 : 1 + big(4, 2);
    for (let h = 0; h < hops; h++) { chains.site.push(i + 1); chains.place.push(h === hops - 1 ? i + 1 : 1 + Math.floor(rnd() * (i + 1))); }
    if (count <= 5000) {
      const middle = Math.floor(Math.log2(median));
      for (let b = Math.max(0, middle - 4); b < middle + 7; b++) { lifetimes.site.push(i + 1); lifetimes.bucket.push(b); lifetimes.blocks.push(Math.ceil(allocations * Math.exp(-((b - middle) ** 2) / 6) * 0.3)); }
      const shape = rnd(), start = Math.floor(rnd() * samples * 0.4);
      for (let s = start; s < samples; s += 1 + (i > 30 ? big(12, 1) : 0)) {
        const t = s / samples, ramp = shape < 0.4 ? Math.min(1, (t * samples - start) / (samples * 0.3)) : shape < 0.7 ? 0.5 + 0.5 * Math.sin(t * 18 + shape * 20) : rnd();
        points.site.push(i + 1); points.sample.push(s); points.live_bytes.push(Math.floor(peak * Math.max(0, ramp) * (t > 0.86 ? (1 - t) * 5 : 1)));
      }
      for (let t = 1; t <= site.thread_count[i]; t++) { allocThreads.site.push(i + 1); allocThreads.id.push(t); allocThreads.count.push(Math.ceil(allocations / 2 ** t)); }
      freeThreads.site.push(i + 1); freeThreads.id.push(1 + big(5, 1)); freeThreads.count.push(Math.max(1, allocations - liveBlocks));
      for (let f = 0; f < 3; f++) { freePlaces.site.push(i + 1); freePlaces.id.push(f === 2 ? 0 : 1 + Math.floor(rnd() * (i + 1))); freePlaces.count.push(Math.ceil(allocations / 3 ** f)); }
    }
    fns.site.push(i + 1); fns.name.push(pick(["malloc", "calloc", "realloc", "operator new"])); fns.count.push(allocations);
  }
  history(e, rnd, samples, points, site);
  e.table("sites", site).table("places", place).table("chains", chains).table("functions", fns);
  if (lifetimes.site.length) e.table("lifetimes", lifetimes).table("points", points).table("alloc_threads", allocThreads).table("free_threads", freeThreads).table("free_places", freePlaces);
  layouts(e, site);
  rest(e, rnd, site, place, count);
  if (sampled) errors(e, site);
  else e.table("bad_frees", { kind: [0, 1], resized: [0, 1], count: [3, 1], place: [4, 0], thread: [1, 2], address: [0x5581a2b3c4d0, 0x7ffd1000], ns: [3e9, 9e9], site: [2, 0], size_bytes: [96, 0], born_ns: [1e9, 0], freed_ns: [2e9, 0], freed_place: [7, 0] });
  return e.container();
}

/** As of a run in which one allocation in ten was drawn; frees have the longer side above. */
function errors(e, site) {
  const figures = ["allocations", "frees", "reallocations", "allocated_bytes", "live_blocks", "live_bytes"];
  const total = (f) => site[f].reduce((a, b) => a + b, 0), low = (v) => Math.floor(v * 0.9), high = (v, f) => Math.ceil(v * (f === "frees" ? 1.4 : 1.1)) + 4;
  e.table("sampling", { by_bytes: [0], period: [10], large_bytes: [8192], sampled_allocations: [Math.floor(total("allocations") / 10)] });
  e.table("total_errors", { figure: figures, low: figures.map((f) => low(total(f))), high: figures.map((f) => high(total(f), f)) });
  for (const kind of ["site", "type", "module", "thread"]) {
    const table = Object.fromEntries(e.tables.find((t) => t.name === `${kind}s`).columns.map((c) => [c.name, [...c.values]]));
    e.table(`${kind}_errors`, Object.fromEntries(figures.flatMap((f) => [[`${f}_low`, (table[f] ?? []).map(low)], [`${f}_high`, (table[f] ?? []).map((v) => high(v, f))]])));
  }
}

function history(e, rnd, samples, points, site) {
  const shape = (k) => (i) => {
    const t = i / samples;
    return Math.max(0, (0.3 + 0.7 * Math.min(1, t * (2 + k * 0.4))) * (1 + 0.25 * Math.sin(t * (9 + k * 5) + k)) * (t > 0.86 ? (1 - t) * 6 : 1));
  };
  const curves = { group: [], id: [] }, live = { live_bytes: [] };
  const totals = new Float64Array(samples);
  for (const group of [0, 1])
    for (let c = 0; c < 11; c++) {
      curves.group.push(group); curves.id.push(c === 10 ? 0 : c + 1);
      for (let i = 0; i < samples; i++) {
        const v = Math.floor((38e6 / (c + 1.4)) * shape(c + group * 3)(i));
        live.live_bytes.push(v);
        if (!group) totals[i] += v;
      }
    }
  const total = Array.from(totals), most = total.map((v) => Math.floor(v * (1 + rnd() * 0.03)));
  const peak = most.indexOf(Math.max(...most));
  e.table("timeline", { end_ns: total.map((_, i) => Math.floor(((i + 1) / samples) * 12.4e9)), end_event: total.map((_, i) => (i + 1) * 52000), live_bytes: total, most_bytes: most, live_blocks: total.map((v) => Math.floor(v / 90)), allocations: total.map(() => 26000), frees: total.map(() => 25500), allocated_bytes: total.map(() => 3e6) });
  e.table("marks", { name: ["config loaded", "warm", "first client", "before the long compaction of the index"], ns: [0.4e9, 3.1e9, 3.2e9, 9.1e9], live_bytes: [30e6, 71e6, 72e6, 93e6], snapshot: [0, 0, 0, 1] });
  e.table("pauses", { from_ns: [5.2e9, 8e9], to_ns: [6.1e9, 8.01e9] });
  e.table("curves", curves).table("curve_points", live);
  e.peak = { sample: peak, bytes: most[peak], ns: ((peak + 1) / samples) * 12.4e9 };
}

function layouts(e, site) {
  const fields = { type: [], name: [], type_name: [], field_type: [], offset_bytes: [], size_bytes: [], bits: [], offset_bits: [], padding_bytes: [], counted_by: [], flags: [] };
  const out = { name: [], kind: [], size_bytes: [], align_bytes: [], padding_bytes: [], site_count: [], allocations: [], frees: [], allocated_bytes: [], live_blocks: [], live_bytes: [], peak_bytes: [], bytes_at_peak: [], elements: [] };
  types.forEach(([name, kind, size, align, list], t) => {
    let padding = 0;
    list.forEach(([field, type, offset, bytes, flags = 0, bits = 0, offsetBits = 0], f) => {
      const end = offset + (bits ? Math.ceil((offsetBits + bits) / 8) : bytes), next = f + 1 < list.length ? list[f + 1][2] : size;
      const hole = kind === 4 ? 0 : Math.max(0, next - end);
      padding += hole;
      for (const [k, v] of Object.entries({ type: t + 1, name: field, type_name: type, field_type: 0, offset_bytes: offset, size_bytes: bytes, bits, offset_bits: offsetBits, padding_bytes: hole, counted_by: 0, flags: flags | (bits ? 2 : 0) })) fields[k].push(v);
    });
    const sum = (column) => site[column].reduce((s, v, i) => s + (site.type[i] === t + 1 ? v : 0), 0);
    for (const column of ["allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes", "peak_bytes", "bytes_at_peak"]) out[column].push(sum(column));
    out.name.push(name); out.kind.push(kind); out.size_bytes.push(size); out.align_bytes.push(align); out.padding_bytes.push(padding);
    out.site_count.push(site.type.filter((v) => v === t + 1).length); out.elements.push(sum("allocations") * 2);
  });
  e.table("types", out).table("fields", fields);
  const sums = (column) => Array.from({ length: 40 }, (_, h) => site[column].reduce((s, v, i) => s + (site.holder_id[i] === h + 1 ? v : 0), 0));
  const held = { holder: Array.from({ length: 40 }, (_, h) => `${holders[h % holders.length]}${h < 15 ? "" : h}`), type: Array.from({ length: 40 }, (_, h) => types[h % types.length][0]), type_id: Array.from({ length: 40 }, (_, h) => 1 + (h % types.length)) };
  for (const column of ["allocations", "frees", "allocated_bytes", "live_blocks", "live_bytes", "peak_bytes", "bytes_at_peak"]) held[column] = sums(column);
  e.table("holders", held);
}

function rest(e, rnd, site, place, count) {
  const total = (column) => site[column].reduce((a, b) => a + b, 0);
  const sumIf = (column, test) => site[column].reduce((s, v, i) => s + (test(i) ? v : 0), 0);
  const named = (n) => (i) => site.naming[i] === n;
  const facts = {
    peak_bytes: e.peak.bytes, peak_time_ns: e.peak.ns, peak_sample: e.peak.sample, peak_blocks: 812345, allocations: total("allocations"), frees: total("frees"), reallocations: total("reallocations"), allocated_bytes: total("allocated_bytes"),
    live_blocks: total("live_blocks"), live_bytes: total("live_bytes"), temporary: total("temporary"), threads: threads.length, events: total("allocations") + total("frees"), lost_events: 0, bad_frees: 0, forced: 0, failed_reallocations: 0, stream_bytes: 1.4e9,
    named_allocations: sumIf("allocations", named(0)), wrapper_only_allocations: sumIf("allocations", named(1)), unnamed_allocations: sumIf("allocations", named(2)),
    named_bytes: sumIf("allocated_bytes", named(0)), wrapper_only_bytes: sumIf("allocated_bytes", named(1)), unnamed_bytes: sumIf("allocated_bytes", named(2)), typed_bytes: total("allocated_bytes") * 0.98,
    pid: 48213, parent_pid: 48000, start_unix_ms: 1790000000000, duration_ns: 12.4e9, clock_step_ns: 4e6, complete: 1, end_how: 1, end_status: 0,
  };
  const texts = { name: "server", program: "/home/dev/server/build/server", directory: "/home/dev/server", host: "workstation", mode: "full", version: "0.1.0", parent_stream: "" };
  const names = [...Object.keys(facts), ...Object.keys(texts)];
  e.table("facts", { name: names, number: names.map((n) => facts[n] ?? 0), text: names.map((n) => texts[n] ?? "") });
  e.table("argv", { text: ["./build/server", "--port", "7070", "--data", "/var/lib/server/data", "--cache", "256M"] });
  e.table("modules", { name: modules, path: modules.map((m) => `/usr/lib/${m}`), build_id: modules.map((_, i) => `${i}f3a9c1b7d2e4${i}`), instrumented: [1, 1, 0, 0, 1, 0], is_main: [1, 0, 0, 0, 0, 0], unit_count: [40, 12, 0, 0, 3, 0], site_count: [812, 204, 0, 0, 31, 0], status: [0, 0, 0, 0, 1, 0], loaded_ns: [0, 0, 0, 0, 2.1e9, 0], unloaded_ns: [0, 0, 0, 0, 9.4e9, 0], allocations: [9e6, 2e6, 0, 31000, 40000, 512], frees: [9e6, 2e6, 0, 31000, 40000, 512], allocated_bytes: [4e9, 9e8, 0, 2e6, 6e6, 90000], live_blocks: [9000, 10, 0, 0, 0, 4], live_bytes: [3e6, 9000, 0, 0, 0, 700], peak_bytes: [9e7, 2e7, 0, 1e5, 2e6, 8000], bytes_at_peak: [8e7, 1e7, 0, 90000, 1e6, 700] });
  e.table("threads", { name: threads, stream_id: threads.map((_, i) => i + 1), system_id: threads.map((_, i) => 48213 + i), creator_id: threads.map((_, i) => (i ? 1 : 0)), start_ns: threads.map((_, i) => i * 4e6), end_ns: threads.map((_, i) => 12.4e9 - i * 1e8), allocations: [4e6, 3e6, 2.9e6, 8000, 120], frees: [3e6, 3.5e6, 3.2e6, 9000, 0], reallocations: [1, 2, 3, 4, 5], allocated_bytes: [2e9, 1.4e9, 1.3e9, 9e6, 4096], foreign_frees: [0, 6e5, 4e5, 1000, 0], temporary: [1e6, 9e5, 8e5, 0, 0], live_blocks: [9000, 3, 1, 0, 120], live_bytes: [3e6, 900, 64, 0, 4096] });
  const liveSites = site.live_blocks.map((n, i) => [n, i]).filter(([n]) => n).slice(0, 200).map(([, i]) => i);
  e.table("live", { address: liveSites.map(() => 0x7f0000000000 + Math.floor(rnd() * 2 ** 36) * 16), size_bytes: liveSites.map((i) => site.largest_bytes[i]), born_ns: liveSites.map(() => Math.floor(rnd() * 12e9)), site: liveSites.map((i) => i + 1), thread: liveSites.map(() => 1), reallocations: liveSites.map(() => Math.floor(rnd() * 3)) });
  e.table("notes", { kind: [0], offset: [0], text: ["Sizes are what the program asked for; the allocator's own overhead is not in them."] });
  const first = place.line.map((l) => Math.max(1, l - 6)), some = first.slice(0, Math.min(count, 60));
  e.table("sources", { file: some.map((_, i) => place.file[i] || "x"), first_line: some, lines: some.map(() => 13), text: some.map((_, i) => Array.from({ length: 13 }, (_, k) => (k === 6 ? `    ${place.holder[i]} = ${place.callee[i]}(n * sizeof(*p)); /* a long trailing comment that does not fit into the panel */` : k === 3 ? "\tif (n == 0) return NULL;" : k === 0 ? "static void *grow(struct buffer *b, size_t n) {" : "")).join("\n")) });
}
