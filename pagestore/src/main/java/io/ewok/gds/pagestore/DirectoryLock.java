package io.ewok.gds.pagestore;

import java.io.IOException;

/**
 * A lock taken by {@link IoEngine#lock}; close frees it. Any thread may close; twice does nothing.
 */
public interface DirectoryLock extends AutoCloseable {
  @Override
  void close() throws IOException;
}
