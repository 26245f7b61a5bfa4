// How keys and values are stored: rows of 32-bit words, each one float or two halves.
layout(constant_id = 1) const uint KV_HALVES = 0;

uint kv_words(uint elements) { return KV_HALVES != 0 ? elements / 2 : elements; }
