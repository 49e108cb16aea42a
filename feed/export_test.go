package feed

// PodcastID is podcastID, for tests.
var PodcastID = podcastID
