/**
 * A worked example on the public interface alone: order books that are kept up to date from several
 * TCP feeds, by fibers on one reactor; and the same by a plain selector loop, to compare with.
 *
 * <p>Start reading at {@link io.ewok.gds.bench.feeds.ReactorFeeds}, which is all there is to do
 * with a reactor. A {@link io.ewok.gds.bench.feeds.Feed} makes messages ({@link
 * io.ewok.gds.bench.feeds.FeedFormat}) of the bytes that arrive and applies them to its {@link
 * io.ewok.gds.bench.feeds.OrderBook}; memory for both lies in one region, and nothing is made on
 * the heap for a message. {@link io.ewok.gds.bench.feeds.FeedSource} stands for the exchanges.
 */
package io.ewok.gds.bench.feeds;
