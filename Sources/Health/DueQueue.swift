/// What is due next: a binary heap over times, so that ten thousand checks cost a dozen comparisons
/// each.
package struct DueQueue<Subject: Hashable & Sendable>: Sendable {
    package struct Item: Hashable, Sendable {
        package var time: MonotonicTime
        package var subject: Subject

        package init(time: MonotonicTime, subject: Subject) {
            self.time = time
            self.subject = subject
        }
    }

    private var heap: [Item] = []

    package init() {}

    package var count: Int { heap.count }
    package var first: Item? { heap.first }

    package mutating func insert(_ item: Item) {
        heap.append(item)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    package mutating func removeFirst() -> Item? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].time < heap[least].time { least = child }
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
