import Stories
import Testing

@Suite struct StoryTests {
    @Test(arguments: Story.all) func story(_ name: String) throws {
        var player = StoryPlayer(try Story(name))
        try player.play()
        #expect(player.faults == [])
        #expect(player.queryCount > 0)
    }

    @Test func thereAreStories() { #expect(Story.all.count >= 10) }
}
