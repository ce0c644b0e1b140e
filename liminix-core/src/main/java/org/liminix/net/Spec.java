package org.liminix.net;

/**
 * What somebody wants to run on a bench: a virtual machine, an ISP, a host. Immutable, made by a
 * builder, started as often as one likes; nothing is bound or spawned before {@code start}.
 *
 * @param <T> what runs once it is started; whoever started it closes it
 */
public interface Spec<T extends AutoCloseable> {
  /**
   * Starts it on the given networks, which must stay open as long as it runs.
   *
   * @param segments where its {@link Network} names lead
   */
  T start(Segments segments);

  /** Starts it on the shared networks of the multicast convention, see {@link Network}. */
  T start();
}
