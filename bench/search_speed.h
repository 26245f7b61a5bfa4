// The speed of exact search, printed.
#pragma once

namespace hearth::bench {

/// 100,000 x 768 in each kind of storage, and FAISS: one query as a share of what memory gives in
/// the same seconds, 1,000 as a share of the float ceiling; what int8 finds of the best ten.
void measure_searches();

/// 1,000,000 x 384 as int8: opening, the first search and the next, private memory, 10,000 more.
void measure_million();

}  // namespace hearth::bench
