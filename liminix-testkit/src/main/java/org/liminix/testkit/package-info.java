/** What stands around a router in a test: guest images made from packages. */
package org.liminix.testkit;
