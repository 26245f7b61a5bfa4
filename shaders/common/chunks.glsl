// How the keys of a row are cut for attn_split and attn_merge: into chunks of one size, at most `n_chunks` of them, which all
// have something to do however long the context is.
const uint kLeastChunk = 16;

uint chunk_size(Keys visible, uint n_chunks) {
  const uint each = (visible.last - visible.first + n_chunks - 1) / n_chunks;
  return (each + kLeastChunk - 1) / kLeastChunk * kLeastChunk;
}
