package org.liminix.net;

import com.google.common.graph.GraphBuilder;
import com.google.common.graph.Graphs;
import com.google.common.graph.MutableGraph;
import java.net.InetSocketAddress;

/** Which segments of this JVM are joined to which groups, so that there is never a ring of them. */
final class Bridges {
  /** Of {@link Segment}s and the addresses of groups. */
  private static final MutableGraph<Object> GRAPH = GraphBuilder.undirected().build();

  private Bridges() {}

  /** Notes that there is a way now, unless there was one before. */
  static synchronized void add(Segment segment, InetSocketAddress group) {
    GRAPH.addNode(segment);
    if (Graphs.reachableNodes(GRAPH, segment).contains(group)) {
      removeIfAlone(segment);
      throw new NetworkException(
          ("%s is connected with group %s:%d already; frames would go round for ever, so close the"
                  + " other bridge first")
              .formatted(segment, group.getAddress().getHostAddress(), group.getPort()));
    }
    GRAPH.putEdge(segment, group);
  }

  /** Notes that the way is gone. Idempotent. */
  static synchronized void remove(Segment segment, InetSocketAddress group) {
    if (GRAPH.nodes().contains(segment) && GRAPH.nodes().contains(group)) {
      GRAPH.removeEdge(segment, group);
      removeIfAlone(segment);
      removeIfAlone(group);
    }
  }

  private static void removeIfAlone(Object node) {
    if (GRAPH.degree(node) == 0) {
      GRAPH.removeNode(node);
    }
  }
}
